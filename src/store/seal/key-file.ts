import { createHash, randomBytes } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MintwardenError } from '../../domain/errors.ts';
import { ensureFolder } from '../private-file.ts';
import type { SealingKey } from './sealer.ts';

const KEY_BYTES = 32;
const TEXT = /^[A-Za-z0-9_-]{43}$/;

function named(key: Buffer): SealingKey {
  const id = createHash('sha256')
    .update('mintwarden sealing key id\0')
    .update(key)
    .digest('hex')
    .slice(0, 12);
  return { id, key };
}

function failure(file: string, error: unknown): MintwardenError {
  if (error instanceof MintwardenError) return error;
  const what = error instanceof Error ? error.message : 'unknown error';
  return new MintwardenError(
    'state',
    `The sealing key ${file} cannot be used: ${what}.`,
    'Check the path and who may read and write there.',
    {
      cause: error,
    },
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function readKey(file: string): Promise<SealingKey | null> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile())
      throw new MintwardenError('state', `The sealing key ${file} is not a file.`, 'Check the path.');
    if ((found.mode & 0o077) !== 0) {
      throw new MintwardenError(
        'state',
        `Others on this machine can read the sealing key ${file}.`,
        `chmod 600 '${file}'`,
      );
    }
    const text = (await handle.readFile('utf8')).trim();
    const key = Buffer.from(text, 'base64url');
    if (TEXT.test(text) && key.length === KEY_BYTES) return named(key);
    throw new MintwardenError(
      'state',
      `The file ${file} is not a sealing key: it must hold 32 bytes in base64url (43 characters).`,
      'Restore it from a backup; what was sealed with it opens with no other key.',
    );
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new key, on the disk whole before it has its name; one that came to be meanwhile stays. */
async function createKey(file: string): Promise<void> {
  const folder = dirname(file);
  ensureFolder(folder);
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    await handle.sync();
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await handle.close();
    await unlink(draft);
  }
  await syncFolder(folder);
}

/**
 * The sealing key in a file; its id is made from the key itself.
 * @throws MintwardenError `state` for a file that is missing, readable by others, or no key
 */
export async function loadKey(file: string): Promise<SealingKey> {
  try {
    const key = await readKey(file);
    if (key !== null) return key;
  } catch (error) {
    throw failure(file, error);
  }
  throw new MintwardenError(
    'state',
    `There is no sealing key at ${file}.`,
    'Restore it from a backup, or check the path.',
  );
}

/**
 * As `loadKey`, but a file that is missing is made (0600, on the disk before this resolves). A file that is
 * there is never written to, whatever is in it.
 * @throws MintwardenError `state`
 */
export async function loadOrCreateKey(file: string): Promise<SealingKey> {
  try {
    const existing = await readKey(file);
    if (existing !== null) return existing;
    await createKey(file);
  } catch (error) {
    throw failure(file, error);
  }
  return loadKey(file);
}
