import yargsParser from 'yargs-parser';
import type { Arguments } from './arguments.ts';
import { usage, type CommandDescription, type Flag } from './command-description.ts';
import { duplicateFlag, missingArgument, unexpectedWords, unknownFlag, usageError } from './parse-errors.ts';
import type { Token } from './tokenizer.ts';

/** Nothing that yargs would make of a value by itself: a room named 1e3 or a.b stays what was typed. */
const NO_COERCION = {
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
 * @throws MintwardenError `usage` for anything the command's description does not provide for, with a
 *   corrected line to copy where there is one
 */
export function parseArguments(command: CommandDescription, tokens: readonly Token[]): Arguments {
  const { argv, plain } = toArgv(command, tokens);
  const parsed = yargsParser([...argv], {
    string: command.flags.filter((flag) => flag.kind !== 'switch').map((flag) => flag.name),
    boolean: command.flags.filter((flag) => flag.kind === 'switch').map((flag) => flag.name),
    configuration: NO_COERCION,
  });
  const values = new Map<string, string>();
  const switches = new Set<string>();
  for (const flag of command.flags) {
    const value: unknown = parsed[flag.name];
    if (flag.kind === 'switch' && value === true) switches.add(flag.name);
    if (flag.kind !== 'switch' && typeof value === 'string') values.set(flag.name, value);
  }
  const spare = unexpectedWords(command, tokens, plain);
  if (spare !== null) throw spare;
  const words = new Map(
    command.parameters.slice(0, plain.length).map((parameter, index) => [parameter.name, plain[index] ?? '']),
  );
  const lacking = missingArgument(command, tokens, words, values);
  if (lacking !== null) throw lacking;
  return { positionals: words, values, switches };
}

/**
 * Reads the words once, refuses what is ambiguous, and attaches each value to its flag by `=`, so that the
 * parser has nothing to guess.
 */
function toArgv(
  command: CommandDescription,
  tokens: readonly Token[],
): { readonly argv: readonly string[]; readonly plain: readonly string[] } {
  const argv: string[] = [];
  const plain: string[] = [];
  const said = new Map<string, string | null>();
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (!isFlag(token)) {
      if (token.text.trim() === '')
        throw usageError(
          'An empty word stands between quotation marks.',
          `Leave it out. The form is: \`${usage(command)}\``,
        );
      plain.push(token.text);
      continue;
    }
    const equals = token.text.indexOf('=');
    const name = (equals === -1 ? token.text : token.text.slice(0, equals)).replace(/^-+/, '').toLowerCase();
    const flag = findFlag(command, token, name, tokens, at);
    const given = equals === -1 ? [] : [token.text.slice(equals + 1)];
    const next = flag.kind === 'switch' ? at : valueEnd(flag, tokens, at, given);
    for (; at < next; at++) given.push((tokens[at + 1] as Token).text);
    const value =
      flag.kind === 'switch' && given.length === 0
        ? null
        : given.join(flag.kind === 'list' ? '' : ' ').trim();
    if (said.has(name)) throw duplicateFlag(flag, said.get(name) ?? null, value);
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
  if (flag.kind === 'list')
    while (more() && (last().endsWith(',') || (tokens[end + 1]?.text ?? '').startsWith(','))) end++;
  return end;
}

function findFlag(
  command: CommandDescription,
  token: Token,
  name: string,
  tokens: readonly Token[],
  at: number,
): Flag {
  const flag = command.flags.find((each) => each.name === name);
  if (flag !== undefined && token.text.startsWith('--') && !token.text.startsWith('---')) return flag;
  throw unknownFlag(command, tokens, at, flag?.name ?? null);
}

function checkValue(
  command: CommandDescription,
  flag: Flag,
  value: string | null,
  next: Token | undefined,
): void {
  if (flag.kind === 'switch') {
    const loose = next !== undefined && !next.quoted && /^(?:true|false|yes|no|on|off)$/i.test(next.text);
    if (value !== null || loose)
      throw usageError(`--${flag.name} takes no value.`, `Write --${flag.name} alone, or leave it out.`);
    return;
  }
  if (value !== null && value !== '') return;
  const example = command.examples
    .map((each) => new RegExp(`--${flag.name} (?:"[^"]*"|\\S+)`).exec(each)?.[0])
    .find(Boolean);
  throw usageError(
    `--${flag.name} says nothing.`,
    `Write for example \`${example ?? `--${flag.name} ${flag.placeholder}`}\`.`,
  );
}
