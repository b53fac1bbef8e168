import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../../ports/log.ts';

/** Empties the write-ahead log, where an erased secret would outlive its row. */
export type Eraser = {
  /** A secret was erased: empty the log now, or as soon as it can be. */
  readonly due: () => void;
  /** Tries again where it could not be done yet. Cheap where there is nothing to do. */
  readonly retry: () => void;
};

/**
 * `secure_delete` overwrites what is erased in the database file; the write-ahead log still has the page
 * as it was until it is truncated. A reader (`audit verify`) can hold that up: it is tried again at the
 * next chance. Never throws: the change itself is already committed.
 */
export function eraser(db: DatabaseSync, log: Log): Eraser {
  let pending = false;
  const retry = () => {
    if (!pending) return;
    try {
      db.exec('PRAGMA busy_timeout = 0');
      pending = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] !== 0;
    } catch (error) {
      log.warn('an erased secret is still in the write-ahead log', {
        problem: error instanceof Error ? error.message : 'unknown',
      });
    } finally {
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  };
  return {
    retry,
    due: () => {
      pending = true;
      retry();
    },
  };
}

/** How long a statement waits for another process's lock. Only a program that is not ours ever takes one. */
export const BUSY_TIMEOUT_MS = 2_000;
