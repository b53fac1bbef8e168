import { randomBytes } from 'node:crypto';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MintwardenError } from '../../../domain/errors.ts';
import { errorCode } from '../../error-code.ts';

/** A file that a token will be written into, and that is not there yet. */
export type OutFile = AsyncDisposable & {
  readonly path: string;
  /**
   * Writes it whole, for its owner alone (0600), on the disk before this resolves. @throws MintwardenError
   * `state`
   */
  keep(token: string): Promise<void>;
};

/**
 * Makes sure that a file can be written before there is anything to write: a draft of it, empty, is made
 * beside it. The file itself is made by `keep`, and never in place of anything: not of a file, not of a link,
 * not even a dangling one. Disposing removes the draft.
 * @throws MintwardenError `usage` where something is there, or no file can be made there
 */
export async function openOutFile(file: string, folder: string): Promise<OutFile> {
  const path = resolve(folder, file);
  if (file.endsWith('/') || basename(path) === '')
    throw new MintwardenError('usage', `${file} is a folder, and --out names a new file.`);
  if (await isThere(path)) {
    throw new MintwardenError(
      'usage',
      `There is something at ${path} already; a token goes into a new file.`,
      'Name another file, or remove that one.',
    );
  }
  const draft = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.new`);
  const handle = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(path, error, 'usage');
  });
  return {
    path,
    async keep(token) {
      try {
        await handle.chmod(0o600);
        await handle.writeFile(`${token}\n`);
        await handle.sync();
        await link(draft, path);
        // What is said to be not kept must not lie there.
        await settled(dirname(path), draft).catch(async (error: unknown) => {
          await unlink(path);
          throw error;
        });
      } catch (error) {
        throw unwritable(path, error, 'state');
      }
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      await unlink(draft).catch(() => undefined);
    },
  };
}

/** The folder has the file for good, and its draft no more. */
async function settled(folder: string, draft: string): Promise<void> {
  await unlink(draft);
  await syncFolder(folder);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw unwritable(path, error, 'usage');
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function unwritable(path: string, cause: unknown, code: 'usage' | 'state'): MintwardenError {
  const why = errorCode(cause);
  return new MintwardenError(
    code,
    `${path} cannot be written (${why}).`,
    'Name a new file in a folder that is there and is yours.',
    {
      cause,
    },
  );
}
