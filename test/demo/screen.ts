/* What the demo writes to the terminal: plain lines, colour only where there is a terminal to show it. */

const colourful = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint = (code: number, text: string): string =>
  colourful ? `\u001b[${String(code)}m${text}\u001b[0m` : text;

/** A heading between scenes. */
export function scene(title: string): void {
  console.log(`\n${paint(1, title)}`);
}

/** A line of what goes on behind the scenes. */
export function aside(text: string): void {
  console.log(paint(2, `  ${text}`));
}

/** Someone's message in a room, as an independent client decrypted it. */
export function message(place: string, who: string, text: string): void {
  const lines = text.trimEnd().split('\n');
  console.log(`  ${paint(36, `[${place}]`)} ${paint(33, who)}  ${lines[0] ?? ''}`);
  for (const line of lines.slice(1)) console.log(`      ${line}`);
}

/** A request and its answer. */
export function exchange(request: string, answer: string): void {
  console.log(`  ${paint(35, '→')} ${request}\n  ${paint(35, '←')} ${answer}`);
}

let failures = 0;

/** Says whether something that must be so is so, and remembers it for the exit status. */
export function check(what: string, holds: boolean): void {
  if (!holds) failures++;
  console.log(`  ${holds ? paint(32, '✓') : paint(31, '✗ NOT:')} ${what}`);
}

/** How many checks did not hold. */
export function failed(): number {
  return failures;
}
