import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Keyv } from 'keyv';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { diskError, sqliteCode } from '../disk-errors.ts';
import { ensurePrivateFile } from '../private-file.ts';
import { KEYV_TABLE, sqliteKeyvStore } from './sqlite-store.ts';

/** Where the cache is. */
export type CacheOptions = { readonly file: string; readonly log: Log; readonly clock: Clock };

/**
 * What may be lost. A failed read rejects with `state`; a missing key is `undefined`. Never add an `error`
 * listener.
 */
export type Cache = {
  /** The keys of one user of the cache, apart from all others. */
  readonly space: <T>(name: string) => Keyv<T>;
  readonly close: () => Promise<void>;
};

const DAMAGED = new Set([11, 26]);

function openDatabase(file: string, now: number): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 2_000 });
  try {
    // NORMAL: a power cut can lose the last writes, never the file. That is what a cache is for.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${KEYV_TABLE};`);
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw Object.assign(new Error('damaged'), { errcode: 11 });
    db.prepare('DELETE FROM keyv WHERE expires <= ?').run(now);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Keeps the broken file for inspection, under a name that is never opened. */
function moveAside(file: string, now: number): string {
  const aside = `${file}.broken-${now}`;
  renameSync(file, aside);
  for (const side of ['-wal', '-shm']) rmSync(file + side, { force: true });
  return aside;
}

/**
 * Opens the cache file, 0600; a damaged one is moved aside and created again, with a line in the log.
 * @throws MintwardenError `state` where the folder or the disk does not let us
 */
export async function openCache({ file, log, clock }: CacheOptions): Promise<Cache> {
  let db: DatabaseSync;
  try {
    ensurePrivateFile(file, log);
    try {
      db = openDatabase(file, clock.now());
    } catch (error) {
      if (!DAMAGED.has(sqliteCode(error) ?? 0)) throw error;
      log.warn('the cache was damaged and is created again', { file, movedTo: moveAside(file, clock.now()) });
      ensurePrivateFile(file, log);
      db = openDatabase(file, clock.now());
    }
  } catch (error) {
    throw diskError(file, error);
  }
  return {
    space: (name) => {
      const store = sqliteKeyvStore(db, file, () => clock.now());
      store.namespace = name;
      return new Keyv({ store, namespace: name });
    },
    close: async () => {
      if (db.isOpen) db.close();
    },
  };
}
