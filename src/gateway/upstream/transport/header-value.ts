const TAB = 0x09;
const SPACE = 0x20;
const ZERO = 0x30;
/** Fifteen digits are exact as a number. */
const MAX_LENGTH_DIGITS = 15;
const JSON_TYPE = 'application/json';

/** A value as text, without trailing white space. */
export function textOf(bytes: Buffer, from: number, end: number): string {
  let to = end;
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  // Almost every response has this value: no new string for it.
  return isExactly(bytes, from, to, JSON_TYPE) ? JSON_TYPE : bytes.toString('latin1', from, to);
}

function isExactly(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let next = 0; next < text.length; next++)
    if (bytes[from + next] !== text.charCodeAt(next)) return false;
  return true;
}

/**
 * A Content-Length (RFC 9110, 8.6): only digits. No sign, no list, no trailing space (undici miscounts
 * there).
 * @returns null if it is anything else
 */
export function lengthIn(bytes: Buffer, from: number, to: number): number | null {
  if (to === from || to - from > MAX_LENGTH_DIGITS) return null;
  let length = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return null;
    length = length * 10 + digit;
  }
  return length;
}

/** Whether a Connection header contains `close`: a case-insensitive list (RFC 9110, 7.6.1). */
export function saysClose(options: string): boolean {
  return options !== 'keep-alive' && /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(options);
}

/** The timeout in a Keep-Alive header, in seconds; Infinity if there is none. */
export function timeoutIn(parameters: string): number {
  const found = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i.exec(parameters);
  return found === null ? Infinity : Number(found[1]);
}
