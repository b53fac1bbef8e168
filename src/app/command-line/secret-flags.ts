import { readFile } from 'node:fs/promises';
import { MintwardenError } from '../../domain/errors.ts';
import { textOf, type Flags } from './command.ts';

/**
 * The secret in the file that a flag names; null where the flag was not said. @throws MintwardenError `usage`
 */
export async function readSecretFlag(flags: Flags, flag: string, what: string): Promise<string | null> {
  const file = textOf(flags, flag);
  if (file === null) return null;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new MintwardenError(
      'usage',
      `${what} could not be read from ${file}.`,
      'Name a file with the secret alone in it.',
      {
        cause: error,
      },
    );
  });
  if (text.trim() !== '') return text.trim();
  throw new MintwardenError('usage', `${file} is empty.`, `It should hold ${what}, alone.`);
}

/** The administrator's token by its flag or the environment, or null. @throws MintwardenError `usage` */
export async function readAdminToken(flags: Flags): Promise<string | null> {
  const fromFile = await readSecretFlag(flags, 'admin-token-file', 'The administrator’s token');
  if (fromFile !== null) return fromFile;
  const fromEnvironment = process.env['MINTWARDEN_ADMIN_TOKEN']?.trim() ?? '';
  return fromEnvironment === '' ? null : fromEnvironment;
}
