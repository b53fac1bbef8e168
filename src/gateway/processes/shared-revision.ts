import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MintwardenError } from '../../domain/errors.ts';

const NAME = 'gateway-revision';
const BYTES = 4;

/**
 * A counter that the bot's process increments with every commit, and that each gateway process can read at
 * any moment without asking. It is kept in an unlinked file, so that no other process can open it. A message
 * can lie unread in a pipe; this cannot be missed.
 */
export type SharedRevision = {
  readonly current: number;
  /** Throws where the disk refuses; the count in memory is incremented all the same. */
  increment(): void;
  /** Read-only, for children. */
  readonly fd: number;
  close(): void;
};

/**
 * @param folder where the file is created, and unlinked at once
 * @throws MintwardenError `state`
 */
export function createSharedRevision(folder: string): SharedRevision {
  const file = join(folder, NAME);
  const bytes = Buffer.alloc(BYTES);
  let current = 0;
  let writable: number;
  let fd: number;
  try {
    rmSync(file, { force: true });
    writable = openSync(file, 'wx+', 0o600);
    writeSync(writable, bytes, 0, BYTES, 0);
    fd = openSync(file, 'r');
    rmSync(file);
  } catch (error) {
    const next = 'Check who may write there and whether the disk has room.';
    throw new MintwardenError('state', `${file} cannot be made.`, next, { cause: error });
  }
  return {
    fd,
    get current() {
      return current;
    },
    increment() {
      current++;
      bytes.writeUInt32LE(current);
      writeSync(writable, bytes, 0, BYTES, 0);
    },
    close() {
      closeSync(writable);
      closeSync(fd);
    },
  };
}

/** Reads the counter, in a microsecond. If it cannot be read, it is infinite: nobody is current then. */
export function sharedRevisionReader(fd: number): () => number {
  const bytes = Buffer.alloc(BYTES);
  return () => {
    try {
      return readSync(fd, bytes, 0, BYTES, 0) === BYTES ? bytes.readUInt32LE() : Number.POSITIVE_INFINITY;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  };
}
