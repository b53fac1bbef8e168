import { MintwardenError } from '../../../domain/errors.ts';

/**
 * A flag's number, from 1 to `most`.
 * @throws MintwardenError `usage`
 */
export function parseCount(flag: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  throw new MintwardenError(
    'usage',
    `--${flag} takes a number from 1 to ${String(most)}.`,
    `Write for example \`--${flag} ${String(otherwise)}\``,
  );
}
