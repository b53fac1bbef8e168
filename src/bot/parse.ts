import yargsParser from 'yargs-parser';
import { MintwardenError } from '../domain/errors.ts';
import { quotedWord } from '../words/command-line.ts';
import type { Arguments } from './arguments.ts';
import { closest } from './closest.ts';
import { usage, type Command, type Flag } from './command.ts';
import type { Token } from './tokenizer.ts';

/** Nothing that yargs would make of a value by itself: a room named 1e3 or a.b stays what was typed. */
const AS_TYPED = {
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'dot-notation': false,
  'camel-case-expansion': false,
  'short-option-groups': false,
  'boolean-negation': false,
  'greedy-arrays': false,
  'populate--': true,
};

/**
 * The arguments of a command from the words after its verb.
 * @throws MintwardenError `usage` for anything the command's description does not provide for, with a corrected line
 *   to copy where there is one
 */
export function parseArguments(command: Command, tokens: readonly Token[]): Arguments {
  const { argv, plain } = sorted(command, tokens);
  const parsed = yargsParser([...argv], {
    string: command.flags.filter((flag) => flag.kind !== 'switch').map((flag) => flag.name),
    boolean: command.flags.filter((flag) => flag.kind === 'switch').map((flag) => flag.name),
    configuration: AS_TYPED,
  });
  const values = new Map<string, string>();
  const switches = new Set<string>();
  for (const flag of command.flags) {
    const value: unknown = parsed[flag.name];
    if (flag.kind === 'switch' && value === true) switches.add(flag.name);
    if (flag.kind !== 'switch' && typeof value === 'string') values.set(flag.name, value);
  }
  checkSpare(command, tokens, plain);
  const words = new Map(command.parameters.slice(0, plain.length).map((parameter, index) => [parameter.name, plain[index] ?? '']));
  checkMissing(command, tokens, words, values);
  return { words, values, switches };
}

/** Goes through the words once, refuses what is unclear, and gives each flag its value by `=`, so that nothing is left to guess. */
function sorted(command: Command, tokens: readonly Token[]): { readonly argv: readonly string[]; readonly plain: readonly string[] } {
  const argv: string[] = [];
  const plain: string[] = [];
  const said = new Map<string, string | null>();
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (!isFlag(token)) {
      if (token.text.trim() === '')
        throw usageError('An empty word stands between quotation marks.', `Leave it out. The form is: \`${usage(command)}\``);
      plain.push(token.text);
      continue;
    }
    const equals = token.text.indexOf('=');
    const name = (equals === -1 ? token.text : token.text.slice(0, equals)).replace(/^-+/, '').toLowerCase();
    const flag = flagNamed(command, token, name, tokens, at);
    const given = equals === -1 ? [] : [token.text.slice(equals + 1)];
    const next = flag.kind === 'switch' ? at : valueEnd(flag, tokens, at, given);
    for (; at < next; at++) given.push((tokens[at + 1] as Token).text);
    const value = flag.kind === 'switch' && given.length === 0 ? null : given.join(flag.kind === 'list' ? '' : ' ').trim();
    if (said.has(name)) throw doubled(flag, said.get(name) ?? null, value);
    checkValue(command, flag, value, tokens[at + 1]);
    said.set(name, value);
    argv.push(value === null ? `--${name}` : `--${name}=${value}`);
  }
  return { argv, plain };
}

function isFlag(token: Token | undefined): boolean {
  return token !== undefined && !token.quoted && /^-+\p{L}/u.test(token.text);
}

/** The index of the last word that belongs to the flag's value. */
function valueEnd(flag: Flag, tokens: readonly Token[], at: number, given: readonly string[]): number {
  let end = at;
  const more = () => end + 1 < tokens.length && !isFlag(tokens[end + 1]);
  if (given.length === 0 && more()) end++;
  const last = () => (end === at ? (given[0] ?? '') : (tokens[end]?.text ?? ''));
  if (flag.kind === 'text') while (more()) end++;
  if (flag.kind === 'list') while (more() && (last().endsWith(',') || (tokens[end + 1]?.text ?? '').startsWith(','))) end++;
  return end;
}

function flagNamed(command: Command, token: Token, name: string, tokens: readonly Token[], at: number): Flag {
  const flag = command.flags.find((each) => each.name === name);
  if (flag !== undefined && token.text.startsWith('--') && !token.text.startsWith('---')) return flag;
  const typed = token.text.replace(/=.*$/s, '');
  const meant = flag?.name ?? closest(name, command.flags.map((each) => each.name)); // prettier-ignore
  if (meant === null) {
    const known = command.flags.map((each) => `--${each.name}`).join(', ');
    throw usageError(
      `${command.name} has no flag ${typed}.`,
      known === '' ? `It has none. The form is: \`${usage(command)}\`` : `It has ${known}.`,
    );
  }
  const corrected = tokens.map((each, index) => (index === at ? { ...each, text: each.text.replace(typed, `--${meant}`) } : each));
  throw usageError(`${command.name} has no flag ${typed}; --${meant} is probably meant.`, `Write: \`${lineOf(command, corrected)}\``);
}

function checkValue(command: Command, flag: Flag, value: string | null, next: Token | undefined): void {
  if (flag.kind === 'switch') {
    const loose = next !== undefined && !next.quoted && /^(?:true|false|yes|no|on|off)$/i.test(next.text);
    if (value !== null || loose) throw usageError(`--${flag.name} takes no value.`, `Write --${flag.name} alone, or leave it out.`);
    return;
  }
  if (value !== null && value !== '') return;
  const example = command.examples.map((each) => new RegExp(`--${flag.name} (?:"[^"]*"|\\S+)`).exec(each)?.[0]).find(Boolean);
  throw usageError(`--${flag.name} says nothing.`, `Write for example \`${example ?? `--${flag.name} ${flag.placeholder}`}\`.`);
}

function doubled(flag: Flag, first: string | null, second: string | null): MintwardenError {
  const both =
    flag.kind === 'list' ? `Write: \`--${flag.name} ${first ?? ''},${second ?? ''}\`` : `Say it once; I will not guess which one counts.`;
  return usageError(`--${flag.name} is there twice.`, both);
}

function checkSpare(command: Command, tokens: readonly Token[], plain: readonly string[]): void {
  const spare = plain.slice(command.parameters.length);
  const [first] = spare;
  if (first === undefined) return;
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
      : `Without it: \`${lineOf(command, kept)}\``;
  throw usageError(`I do not know what ${words} is for.`, hint);
}

function checkMissing(
  command: Command,
  tokens: readonly Token[],
  words: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): void {
  const parameter = command.parameters.find((each) => each.required && !words.has(each.name));
  if (parameter !== undefined) {
    throw usageError(
      `${command.name} needs ${parameter.name}: ${parameter.help}.`,
      `Write for example \`${command.examples[0] ?? usage(command)}\``,
    );
  }
  const flag = command.flags.find((each) => each.required && !values.has(each.name));
  if (flag === undefined) return;
  throw usageError(
    `${command.name} needs --${flag.name}: ${flag.help}.`,
    `Write: \`${lineOf(command, tokens)} --${flag.name} ${flag.placeholder}\``,
  );
}

/** The command with these words, as one would type it. */
function lineOf(command: Command, tokens: readonly Token[]): string {
  const bang = command.place === 'control' ? '!' : '';
  return [`${bang}${command.name}`, ...tokens.map((token) => (token.quoted ? quotedWord(token.text) : token.text))].join(' ');
}

function usageError(sentence: string, next: string): MintwardenError {
  return new MintwardenError('usage', sentence, next);
}
