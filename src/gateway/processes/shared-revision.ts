import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MintwardenError } from '../../domain/errors.ts';

const NAME = 'gateway-board';
const BYTES = 4;

/**
 * A count that the bot's process raises in the same breath as a commit, and that every gateway process can
 * read at any moment without asking: a file without a name, so that nobody else can open it. A message in a
 * pipe may lie there unread; this cannot be overlooked.
 */
export type Board = {
  readonly at: number;
  /** Raises the count. Throws where the disk refuses; the count in memory is raised all the same. */
  raise(): void;
  /** Can only be read from; for children. */
  readonly fd: number;
  close(): void;
};

/**
 * @param folder where the file is made, and at once taken out of the folder
 * @throws MintwardenError `state`
 */
export function createBoard(folder: string): Board {
  const file = join(folder, NAME);
  const bytes = Buffer.alloc(BYTES);
  let at = 0;
  let own: number;
  let fd: number;
  try {
    rmSync(file, { force: true });
    own = openSync(file, 'wx+', 0o600);
    writeSync(own, bytes, 0, BYTES, 0);
    fd = openSync(file, 'r');
    rmSync(file);
  } catch (error) {
    const next = 'Check who may write there and whether the disk has room.';
    throw new MintwardenError('state', `${file} cannot be made.`, next, { cause: error });
  }
  return {
    fd,
    get at() {
      return at;
    },
    raise() {
      at++;
      bytes.writeUInt32LE(at);
      writeSync(own, bytes, 0, BYTES, 0);
    },
    close() {
      closeSync(own);
      closeSync(fd);
    },
  };
}

/**
 * Reads the count, in a microsecond. What cannot be read counts as infinitely high: nobody is abreast with
 * it.
 */
export function boardReader(fd: number): () => number {
  const bytes = Buffer.alloc(BYTES);
  return () => {
    try {
      return readSync(fd, bytes, 0, BYTES, 0) === BYTES ? bytes.readUInt32LE() : Number.POSITIVE_INFINITY;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  };
}
