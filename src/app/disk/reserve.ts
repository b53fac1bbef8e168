import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Enough for hundreds of revocations, the encryption of their answers and SQLite's own needs. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** With less than this beside the reserve, nothing new is begun. */
const MIN_FREE_BYTES = 4 * 1024 * 1024;
const NAME = 'reserve';

/** Space in the state folder that is kept for the moment when there is no other. */
export type Reserve = {
  /** Gives it up. Never throws. */
  release(): void;
  /**
   * Whether there is enough space, for the reserve too where it was released; then it is taken again. Never
   * throws.
   */
  restore(): boolean;
};

/**
 * Makes the reserve in `folder`, where there is room. Random bytes: a file system that compresses must keep
 * them too.
 */
export function createReserve(folder: string): Reserve {
  const file = join(folder, NAME);
  const release = (): void => {
    try {
      rmSync(file, { force: true });
    } catch {
      // Releasing the reserve is only a help.
    }
  };
  const isWhole = (): boolean => existsSync(file) && statSync(file).size === RESERVE_BYTES;
  const restore = (): boolean => {
    try {
      const { bavail, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      if (isWhole()) return free >= MIN_FREE_BYTES;
      if (free < RESERVE_BYTES + MIN_FREE_BYTES) return false;
      fill(file);
      return true;
    } catch {
      release();
      return false;
    }
  };
  restore();
  return { release, restore };
}

function fill(file: string): void {
  const fd = openSync(file, 'w', 0o600);
  try {
    const bytes = randomBytes(RESERVE_BYTES);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
