import { closest } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { CliCommand } from './command.ts';

/**
 * The command that the words begin with. A name may be of two words.
 * @throws MintwardenError `usage` that names the one probably meant
 */
export function findCommand(words: readonly string[], commands: readonly CliCommand[]): CliCommand {
  const found = commands.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '));
  if (found !== undefined) return found;
  const [first = '', second = ''] = words;
  const next = 'mintwarden --help lists them.';
  if (first.startsWith('-'))
    throw new MintwardenError('usage', `The command comes first, then ${first}.`, next);
  const names = commands.map(({ name }) => name);
  const near =
    closest(`${first} ${second}`.trim(), names) ??
    closest(first, names) ??
    names.find((name) => name.startsWith(`${first} `));
  throw new MintwardenError(
    'usage',
    `There is no command "${first}".${near === undefined ? '' : ` Did you mean ${near}?`}`,
    next,
  );
}
