import parser from 'yargs-parser';
import { MintwardenError } from '../../domain/errors.ts';
import type { CliCommand, Flags } from './command.ts';

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
 * The flags of a command line, after the command's name. Unknown and doubled flags, spare words and empty values
 * are refused.
 * @throws MintwardenError `usage`
 */
export function parseFlags(command: CliCommand, words: readonly string[]): Flags {
  const takingValues = command.flags.filter((flag) => flag.value !== null).map((flag) => flag.name);
  const others = [...command.flags.filter((flag) => flag.value === null).map((flag) => flag.name), 'help', 'debug'];
  const help = `mintwarden ${command.name} --help shows what it takes.`;
  const { _: spare, ...said } = parser([...words], { string: takingValues, boolean: others, configuration: CONFIGURATION });
  const names = (command.operand ?? []).slice(0, spare.length);
  const operands = Object.fromEntries(names.map((name) => [name, String(spare.shift())]));
  if (spare.length > 0) throw new MintwardenError('usage', `"${String(spare[0])}" is one word too many.`, help);
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
