import { MintwardenError } from '../domain/errors.ts';
import { quotedWord } from '../words/command-line.ts';
import { closest } from './closest.ts';
import { usage, type CommandDescription, type Flag } from './command-description.ts';
import type { Token } from './tokenizer.ts';

/**
 * A flag the command has not, or not so spelled. `spelled`: the name it has, where only the dashes are wrong.
 */
export function unknownFlag(
  command: CommandDescription,
  tokens: readonly Token[],
  at: number,
  spelled: string | null,
): MintwardenError {
  const typed = (tokens[at]?.text ?? '').replace(/=.*$/s, '');
  const names = command.flags.map((flag) => flag.name);
  const meant = spelled ?? closest(typed.replace(/^-+/, ''), names);
  if (meant === null) {
    const known = names.map((name) => `--${name}`).join(', ');
    return usageError(
      `${command.name} has no flag ${typed}.`,
      known === '' ? `It has none. The form is: \`${usage(command)}\`` : `It has ${known}.`,
    );
  }
  const corrected = tokens.map((each, index) =>
    index === at ? { ...each, text: each.text.replace(typed, `--${meant}`) } : each,
  );
  return usageError(
    `${command.name} has no flag ${typed}; --${meant} is probably meant.`,
    `Write: \`${correctedLine(command, corrected)}\``,
  );
}

/** The same flag a second time. */
export function duplicateFlag(flag: Flag, first: string | null, second: string | null): MintwardenError {
  const both =
    flag.kind === 'list'
      ? `Write: \`--${flag.name} ${first ?? ''},${second ?? ''}\``
      : `Say it once; I will not guess which one counts.`;
  return usageError(`--${flag.name} is there twice.`, both);
}

/** Words that no parameter takes; null where there are none. */
export function unexpectedWords(
  command: CommandDescription,
  tokens: readonly Token[],
  plain: readonly string[],
): MintwardenError | null {
  const spare = plain.slice(command.parameters.length);
  const [first] = spare;
  if (first === undefined) return null;
  const words = spare.map((word) => `“${word.slice(0, 60)}”`).join(' ');
  const left = plain.slice(0, command.parameters.length);
  const kept: Token[] = [];
  let taken = 0;
  for (const token of tokens) {
    if (spare.includes(token.text) && !left.slice(taken).includes(token.text)) continue;
    if (token.text === left[taken]) taken++;
    kept.push(token);
  }
  const list = command.flags.find((flag) => flag.kind === 'list');
  const hint =
    list !== undefined && /^[!#]/.test(first)
      ? `Several rooms are one list: \`--${list.name} !a,!b\``
      : `Without it: \`${correctedLine(command, kept)}\``;
  return usageError(`I do not know what ${words} is for.`, hint);
}

/** A required word or flag that was not said; null where all were. */
export function missingArgument(
  command: CommandDescription,
  tokens: readonly Token[],
  words: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): MintwardenError | null {
  const parameter = command.parameters.find((each) => each.required && !words.has(each.name));
  if (parameter !== undefined) {
    return usageError(
      `${command.name} needs ${parameter.name}: ${parameter.help}.`,
      `Write for example \`${command.examples[0] ?? usage(command)}\``,
    );
  }
  const flag = command.flags.find(
    (each) =>
      each.required &&
      !values.has(each.name) &&
      !(each.alternative !== undefined && values.has(each.alternative)),
  );
  if (flag === undefined) return null;
  return usageError(
    `${command.name} needs --${flag.name}: ${flag.help}.`,
    `Write: \`${correctedLine(command, tokens)} --${flag.name} ${flag.placeholder}\``,
  );
}

/** The command with these words, as one would type it. */
function correctedLine(command: CommandDescription, tokens: readonly Token[]): string {
  const bang = command.place === 'control' ? '!' : '';
  const words = tokens.map((token) =>
    token.quoted ? quotedWord(token.text) : token.text.replaceAll('`', "'"),
  );
  return [`${bang}${command.name}`, ...words].join(' ');
}

/** What was typed cannot be taken: why, and what to write instead. */
export function usageError(sentence: string, next: string): MintwardenError {
  return new MintwardenError('usage', sentence, next);
}
