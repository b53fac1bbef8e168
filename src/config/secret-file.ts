import { readFile, stat } from 'node:fs/promises';

const MAX_BYTES = 64 * 1024;

/** A secret, or a sentence that says why there is none (the sentence names the file, never its content). */
export type SecretRead = { readonly secret: string } | { readonly problem: string };

/**
 * Reads a file that holds a secret and nothing else. Refuses one that every user of the machine could read.
 */
export async function readSecretFile(file: string): Promise<SecretRead> {
  try {
    const facts = await stat(file);
    if (!facts.isFile()) return { problem: `${file} is no file.` };
    if (isOpenToAll(facts.mode))
      return { problem: `${file} can be read by every user of this machine. Run: chmod 600 '${file}'` };
    if (facts.size > MAX_BYTES) return { problem: `${file} is too large for a secret.` };
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret === '') return { problem: `${file} is empty.` };
    if (/[\s\u0000-\u001f\u007f]/.test(secret))
      return { problem: `${file} holds more than one word; it should hold the secret alone.` };
    return { secret };
  } catch (error) {
    return { problem: `${file} ${whyUnreadable(error)}` };
  }
}

/** Whether others than the owner and the group may read or change it. Windows has no such bits. */
export function isOpenToAll(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o006) !== 0;
}

/** The end of a sentence that begins with the file's name. */
export function whyUnreadable(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  if (code === 'ENOENT') return 'does not exist.';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by the user that Mintwarden runs as.';
  if (code === 'EISDIR') return 'is a folder.';
  return `cannot be read (${typeof code === 'string' ? code : 'no reason given'}).`;
}
