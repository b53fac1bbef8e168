import { randomBytes } from 'node:crypto';
import { chmod, link, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MintwardenError } from '../domain/errors.ts';
import { ensureFolder } from '../store/private-file.ts';

/** Makes a folder that only its owner may enter; takes the others' access away from one that was there. */
export async function privateFolder(folder: string): Promise<void> {
  await mapWriteErrors(folder, async () => {
    ensureFolder(folder);
    if (((await stat(folder)).mode & 0o077) !== 0) await chmod(folder, 0o700);
  });
}

/**
 * Writes a file whole or not at all (0600, on the disk before this resolves), in place of one that was there.
 */
export async function writePrivate(file: string, text: string): Promise<void> {
  await mapWriteErrors(file, async () => {
    await rename(await writeTemporary(file, text), file);
    await syncFolder(dirname(file));
  });
}

/** As `writePrivate`, but leaves a file that is there alone. False: one was there. */
export async function createPrivate(file: string, text: string): Promise<boolean> {
  return mapWriteErrors(file, async () => {
    const written = await writeTemporary(file, text);
    try {
      await link(written, file);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return false;
    } finally {
      await unlink(written);
    }
    await syncFolder(dirname(file));
    return true;
  });
}

async function writeTemporary(file: string, text: string): Promise<string> {
  const name = `${file}.${randomBytes(6).toString('hex')}.new`;
  await using handle = await open(name, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
  return name;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

async function mapWriteErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const next = 'Check who may write there and whether the disk has room, or choose another folder.';
    throw new MintwardenError('state', `${path} cannot be written (${codeOf(error)}).`, next, {
      cause: error,
    });
  }
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'no reason given';
}
