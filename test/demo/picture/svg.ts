import type { Said } from './conversation.ts';
import { paragraphsOf, type Run } from './html.ts';

const CARD = 486;
const GAP = 20;
const PAD = 18;
const SIZE = 13.5;
const LINE = 19;
const INDENT = 16;
const PLACES = [
  ['control room', 'Control room', 'encrypted; administrators and the bot'],
  ['alice', 'alice and mintwarden', 'encrypted; a direct chat'],
] as const;
const COLOURS: Readonly<Record<Said['who'], string>> = {
  olivia: '#8250df',
  alice: '#bc4c00',
  mintwarden: '#0a7d5a',
};

const STYLE = `
  text { font: ${String(SIZE)}px -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1f2328; white-space: pre }
  .strong { font-weight: 600 }
  .code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12px; fill: #57606a }
  .pill { fill: #0969da }
  .who { font-weight: 700 }
  .title { font-size: 15px; font-weight: 700 }
  .quiet { fill: #6e7781; font-size: 12px }
`;

/** The conversation as an SVG of two cards, side by side. The same messages give the same picture. */
export function conversationSvg(conversation: readonly Said[]): string {
  const cards = PLACES.map(([place, title, quiet], index) =>
    card(
      index * (CARD + GAP),
      title,
      quiet,
      conversation.filter((said) => said.place === place),
    ),
  );
  const height = Math.max(...cards.map((each) => each.height));
  const width = 2 * CARD + GAP;
  const frames = cards.map(
    ({ x, marks }) =>
      `<rect x="${String(x + 0.5)}" y="0.5" width="${String(CARD - 1)}" height="${String(height - 1)}" rx="10" fill="#ffffff" stroke="#d0d7de"/>\n${marks.join('\n')}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" role="img">\n<title>A conversation in the control room and in alice’s chat with the bot</title>\n<style>${STYLE}</style>\n${frames.join('\n')}\n</svg>\n`;
}

function card(
  x: number,
  title: string,
  quiet: string,
  messages: readonly Said[],
): { x: number; height: number; marks: string[] } {
  const marks = [
    text(x + PAD, 30, [{ text: title, style: 'title' }]),
    text(x + PAD, 48, [{ text: quiet, style: 'quiet' }]),
    `<line x1="${String(x)}" x2="${String(x + CARD)}" y1="62" y2="62" stroke="#d0d7de"/>`,
  ];
  let y = 88;
  for (const { who, html } of messages) {
    marks.push(
      `<text x="${String(x + PAD)}" y="${String(y)}" class="who" style="fill:${COLOURS[who]}">${who}</text>`,
    );
    y += LINE + 1;
    for (const { bullet, runs } of paragraphsOf(html)) {
      const indent = bullet ? INDENT : 0;
      if (bullet) marks.push(text(x + PAD + 3, y, [{ text: '•', style: 'plain' }]));
      for (const line of wrapped(runs, CARD - 2 * PAD - indent)) {
        marks.push(text(x + PAD + indent, y, line));
        y += LINE;
      }
      y += 4;
    }
    y += 14;
  }
  return { x, height: y - 8, marks };
}

function text(x: number, y: number, runs: readonly { text: string; style: string }[]): string {
  const spans = runs.map(({ text: words, style }) =>
    style === 'plain' ? escaped(words) : `<tspan class="${style}">${escaped(words)}</tspan>`,
  );
  return `<text x="${String(x)}" y="${String(y)}">${spans.join('')}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Lines of runs, broken between words. */
function wrapped(runs: readonly Run[], width: number): Run[][] {
  const lines: Run[][] = [[]];
  let used = 0;
  for (const { text: words, style } of runs) {
    for (const word of words.match(/\s+|\S+/g) ?? []) {
      const wide = widthOf(word, style);
      const line = lines.at(-1) ?? [];
      if (used + wide > width && line.length > 0 && word.trim() !== '') {
        lines.push([{ text: word, style }]);
        used = wide;
        continue;
      }
      if (line.length === 0 && word.trim() === '') continue;
      const last = line.at(-1);
      if (last?.style === style) last.text += word;
      else line.push({ text: word, style });
      used += wide;
    }
  }
  return lines;
}

/** Somewhat more than the text takes in Arial, since nobody knows the font it will be shown in. */
function widthOf(word: string, style: Run['style']): number {
  if (style === 'code') return word.length * 7.3;
  const units = Array.from(word).reduce((sum, letter) => sum + unit(letter), 0);
  return units * SIZE * (style === 'strong' ? 1.12 : 1.05);
}

function unit(letter: string): number {
  if ("ijl|!,.:;'".includes(letter)) return 0.26;
  if ('ftrI()[]/- “”’'.includes(letter)) return 0.33;
  if ('mwMW@%…—'.includes(letter)) return 0.9;
  if (/[A-Z&]/.test(letter)) return 0.69;
  return 0.54;
}
