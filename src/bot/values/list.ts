import { MintwardenError } from '../../domain/errors.ts';
import { MAX_ITEMS } from '../../words/command-line.ts';

/**
 * The items of a list with commas between them.
 * @throws MintwardenError `usage` for a comma too many, or more items than anybody reads
 */
export function parseList(flag: string, text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  const kept = items.filter((item) => item !== '');
  if (kept.length < items.length)
    throw new MintwardenError(
      'usage',
      `There is a comma too many in --${flag}.`,
      `Write: \`--${flag} ${kept.join(',')}\``,
    );
  if (items.length > MAX_ITEMS)
    throw new MintwardenError(
      'usage',
      `--${flag} has ${items.length} parts; ${MAX_ITEMS} are the most.`,
      'Say less.',
    );
  return items;
}
