import { MintwardenError } from '../domain/errors.ts';

/** A word of a command. What stood in quotation marks is never a flag. */
export type Token = { readonly text: string; readonly quoted: boolean };

const DOUBLE = '"“”„‟«»＂';
const SINGLE = "'‘’‚‛";
/** Phones make one long dash of two short ones, and other dashes of one. */
const FLAG_DASHES =
  /^(?:-*[\u2010-\u2015\u2212\ufe58\ufe63\uff0d][-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]*)(?=\p{L})/u;

function kindOf(character: string | undefined): string | null {
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
export function tokenise(line: string): readonly Token[] {
  const characters = Array.from(line.replace(/\p{Cf}/gu, ''));
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    if (isSpace(characters[at])) {
      at++;
      continue;
    }
    const { token, next } = word(characters, at);
    tokens.push(token);
    at = next;
  }
  return tokens;
}

function word(characters: readonly string[], start: number): { token: Token; next: number } {
  const opening = kindOf(characters[start]);
  if (opening !== null) {
    const { text, next } = inQuotes(characters, start, opening);
    return { token: { text, quoted: true }, next };
  }
  let text = '';
  let at = start;
  for (; at < characters.length && !isSpace(characters[at]); at++) {
    const character = characters[at] ?? '';
    const kind = kindOf(character);
    if (kind !== null && text.endsWith('=')) {
      const { text: inside, next } = inQuotes(characters, at, kind);
      return { token: { text: withDashes(text) + inside, quoted: false }, next };
    }
    if (kind === DOUBLE) {
      throw new MintwardenError(
        'usage',
        `There is a quotation mark in the middle of ${shown(text + character)}.`,
        'Put quotation marks around the whole text.',
      );
    }
    text += character;
  }
  return { token: { text: withDashes(text), quoted: false }, next: at };
}

function inQuotes(
  characters: readonly string[],
  start: number,
  kind: string,
): { text: string; next: number } {
  let text = '';
  for (let at = start + 1; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const next = characters[at + 1];
    if (character === '\\' && (next === '\\' || kindOf(next) === kind)) {
      text += next ?? '';
      at++;
    } else if (kind.includes(character)) {
      if (next === undefined || isSpace(next)) return { text: text.trim(), next: at + 1 };
      if (kind === SINGLE) text += character;
      else
        throw new MintwardenError(
          'usage',
          `There is text right behind the quotation mark after ${shown(text)}.`,
          'Put a space behind it.',
        );
    } else {
      text += isSpace(character) ? ' ' : character;
    }
  }
  throw new MintwardenError(
    'usage',
    `The quotation mark before ${shown(text)} is not closed.`,
    'Close it, or leave it out: a reason needs none.',
  );
}

function withDashes(text: string): string {
  return text.replace(FLAG_DASHES, '--');
}

function shown(text: string): string {
  const short = text.trim().slice(0, 40);
  return short === '' ? 'the end' : `“${short}”`;
}
