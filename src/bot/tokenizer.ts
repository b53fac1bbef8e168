import { MintwardenError } from '../domain/errors.ts';

/** A word of a command. What stood in quotation marks is never a flag. */
export type Token = { readonly text: string; readonly quoted: boolean };

const DOUBLE = '"“”„‟«»＂';
const SINGLE = "'‘’‚‛";
/** Phones make one long dash of two short ones, and other dashes of one. */
const FLAG_DASHES =
  /^(?:-*[\u2010-\u2015\u2212\ufe58\ufe63\uff0d][-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]*)(?=\p{L})/u;

function quoteKind(character: string | undefined): string | null {
  if (character === undefined || character === '') return null;
  if (DOUBLE.includes(character)) return DOUBLE;
  return SINGLE.includes(character) ? SINGLE : null;
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/u.test(character);
}

/**
 * The words of a line. Spaces of every kind and newlines part them; quotation marks of every kind hold them
 * together, at the start of a word or after `=`. An apostrophe inside a word is an apostrophe.
 * @throws MintwardenError `usage` for a quotation mark that is not closed, or stands where its meaning is
 *   unclear
 */
export function tokenize(line: string): readonly Token[] {
  const characters = Array.from(line.replace(/\p{Cf}/gu, ''));
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    if (isSpace(characters[at])) {
      at++;
      continue;
    }
    const { token, next } = readWord(characters, at);
    tokens.push(token);
    at = next;
  }
  return tokens;
}

function readWord(characters: readonly string[], start: number): { token: Token; next: number } {
  const opening = quoteKind(characters[start]);
  if (opening !== null) {
    const { text, next } = readQuoted(characters, start, opening);
    return { token: { text, quoted: true }, next };
  }
  let text = '';
  let at = start;
  for (; at < characters.length && !isSpace(characters[at]); at++) {
    const character = characters[at] ?? '';
    const kind = quoteKind(character);
    if (kind !== null && text.endsWith('=')) {
      const { text: inside, next } = readQuoted(characters, at, kind);
      return { token: { text: normalizeDashes(text) + inside, quoted: false }, next };
    }
    if (kind === DOUBLE) {
      throw new MintwardenError(
        'usage',
        `There is a quotation mark in the middle of ${excerpt(text + character)}.`,
        'Put quotation marks around the whole text.',
      );
    }
    text += character;
  }
  return { token: { text: normalizeDashes(text), quoted: false }, next: at };
}

function readQuoted(
  characters: readonly string[],
  start: number,
  kind: string,
): { text: string; next: number } {
  let text = '';
  for (let at = start + 1; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const next = characters[at + 1];
    if (character === '\\' && (next === '\\' || quoteKind(next) === kind)) {
      text += next ?? '';
      at++;
    } else if (kind.includes(character)) {
      if (next === undefined || isSpace(next)) return { text: text.trim(), next: at + 1 };
      if (kind === SINGLE) text += character;
      else
        throw new MintwardenError(
          'usage',
          `There is text right behind the quotation mark after ${excerpt(text)}.`,
          'Put a space behind it.',
        );
    } else {
      text += isSpace(character) ? ' ' : character;
    }
  }
  throw new MintwardenError(
    'usage',
    `The quotation mark before ${excerpt(text)} is not closed.`,
    'Close it, or leave it out: a reason needs none.',
  );
}

function normalizeDashes(text: string): string {
  return text.replace(FLAG_DASHES, '--');
}

function excerpt(text: string): string {
  const short = text.trim().slice(0, 40);
  return short === '' ? 'the end' : `“${short}”`;
}
