import parser from 'yargs-parser';
import { MintwardenError } from '../../domain/errors.ts';
import type { CliCommand, Flags } from './command.ts';

const DEBUG = { name: 'debug', value: null } as const;

const CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'short-option-groups': false,
};

/**
 * The flags of a command line, after the command's name. Unknown and doubled flags, spare words and empty
 * values are refused.
 * @throws MintwardenError `usage`
 */
export function parseFlags(command: CliCommand, words: readonly string[]): Flags {
  if (command.passthrough !== undefined) {
    const { own, others } = splitOwnFlags(command, words);
    const said = parseFlags({ ...command, passthrough: undefined }, own);
    return others.length === 0 ? said : { ...said, [command.passthrough]: toLine(others) };
  }
  const takingValues = command.flags.filter((flag) => flag.value !== null).map((flag) => flag.name);
  const others = [
    ...command.flags.filter((flag) => flag.value === null).map((flag) => flag.name),
    'help',
    'debug',
  ];
  const help = `mintwarden ${command.name} --help shows what it takes.`;
  const { _: spare, ...said } = parser([...words], {
    string: takingValues,
    boolean: others,
    configuration: CONFIGURATION,
  });
  const names = (command.operands ?? []).slice(0, spare.length);
  const operands = Object.fromEntries(names.map((name) => [name, String(spare.shift())]));
  if (spare.length > 0)
    throw new MintwardenError('usage', `"${String(spare[0])}" is one word too many.`, help);
  for (const [name, value] of Object.entries(said)) {
    if (!takingValues.includes(name) && !others.includes(name)) {
      const asWritten = words.includes(`-${name}`) ? `-${name}` : `--${name}`;
      throw new MintwardenError('usage', `mintwarden ${command.name} has no flag ${asWritten}.`, help);
    }
    if (Array.isArray(value)) throw new MintwardenError('usage', `--${name} was said twice.`, help);
    if (value === '') throw new MintwardenError('usage', `--${name} needs a value.`, help);
  }
  return { ...said, ...operands };
}

/**
 * Parts the command's own flags, wherever they stand, from the words that it passes on. All that follows `--`
 * is passed on.
 */
function splitOwnFlags(
  command: CliCommand,
  words: readonly string[],
): { readonly own: readonly string[]; readonly others: readonly string[] } {
  const own: string[] = [];
  const others: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return { own, others: [...others, ...words.slice(at + 1)] };
    const flag = [...command.flags, DEBUG].find(
      ({ name }) => word === `--${name}` || word.startsWith(`--${name}=`),
    );
    (flag === undefined ? others : own).push(word);
    const value = words[at + 1];
    if (flag !== undefined && flag.value !== null && word === `--${flag.name}` && value !== undefined) {
      own.push(value);
      at++;
    }
  }
  return { own, others };
}

/**
 * Words as one line of a bot's command. A first word with spaces in it is a line already (`exec 'list
 * --all'`); every other word stays one word, since the shell has taken its quotation marks off.
 */
export function toLine([first = '', ...more]: readonly string[]): string {
  return [/\s/.test(first) ? first : quoteWord(first), ...more.map(quoteWord)].join(' ');
}

function quoteWord(word: string): string {
  const [, flag = '', value = ''] = /^(-+\p{L}[^\s=]*=)(.*)$/su.exec(word) ?? [];
  if (flag !== '') return `${flag}${quoteWord(value)}`;
  if (word !== '' && !/[\s"'“”„‟«»＂‘’‚‛\\]/u.test(word)) return word;
  return `"${word.replace(/[\\"“”„‟«»＂]/gu, String.raw`\$&`)}"`;
}
