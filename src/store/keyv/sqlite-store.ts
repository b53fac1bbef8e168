import type { DatabaseSync } from 'node:sqlite';
import { type KeyvStorageAdapter, keyvStorageCapability } from 'keyv';
import { diskError } from '../disk-errors.ts';

/** The table the adapter works on. */
export const KEYV_TABLE = `CREATE TABLE IF NOT EXISTS keyv (
  namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER, PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID`;

/** What keyv asks of an adapter, less the events: this one throws instead. */
export type SqliteKeyvStore = Pick<
  KeyvStorageAdapter,
  | 'namespace'
  | 'capabilities'
  | 'get'
  | 'getMany'
  | 'has'
  | 'hasMany'
  | 'set'
  | 'setMany'
  | 'delete'
  | 'deleteMany'
  | 'clear'
>;

/**
 * A keyv 6 storage adapter over one table; expired keys are not there. A failure is thrown (`state`), and
 * keyv hands it to its caller as long as nobody listens to the `error` event: only then is a failed read
 * not a missing key.
 * @param file named in errors
 * @param now epoch milliseconds
 */
export function sqliteKeyvStore(db: DatabaseSync, file: string, now: () => number): SqliteKeyvStore {
  const select = db.prepare(
    'SELECT value FROM keyv WHERE namespace = ? AND key = ? AND (expires IS NULL OR expires > ?)',
  );
  const put = db.prepare(
    `INSERT INTO keyv (namespace, key, value, expires) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value, expires = excluded.expires`,
  );
  const remove = db.prepare('DELETE FROM keyv WHERE namespace = ? AND key = ?');
  const removeAll = db.prepare('DELETE FROM keyv WHERE namespace = ?');

  const space = () => store.namespace ?? '';
  const get = (key: string) => select.get(space(), key, now())?.['value'] as string | undefined;
  const set = (key: string, value: unknown, expires?: number) => {
    if (typeof value !== 'string')
      throw new TypeError('the cache takes what keyv has made text of, and nothing else');
    put.run(space(), key, value, expires === undefined ? null : Math.ceil(expires));
    return true;
  };
  const drop = (key: string) => remove.run(space(), key).changes > 0;
  const guard = async <T>(run: () => T): Promise<T> => {
    try {
      return run();
    } catch (error) {
      throw diskError(file, error);
    }
  };
  /** Many at once in one transaction: one wait for the disk, all or none. */
  const together = <T>(run: () => T): Promise<T> =>
    guard(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = run();
        db.exec('COMMIT');
        return result;
      } finally {
        if (db.isTransaction) db.exec('ROLLBACK');
      }
    });

  const store: SqliteKeyvStore = {
    namespace: undefined,
    get: <V>(key: string) => guard(() => get(key) as V & string),
    getMany: <V>(keys: string[]) => guard(() => keys.map((key) => get(key) as V & string)),
    has: (key) => guard(() => get(key) !== undefined),
    hasMany: (keys) => guard(() => keys.map((key) => get(key) !== undefined)),
    set: (key, value, expires) => guard(() => set(key, value, expires)),
    setMany: (entries) => together(() => entries.map(({ key, value, expires }) => set(key, value, expires))),
    delete: (key) => guard(() => drop(key)),
    deleteMany: (keys) => together(() => keys.map(drop)),
    clear: () => guard(() => void removeAll.run(space())),
  };
  // Without this keyv takes the adapter for an old one and hands it relative times.
  store.capabilities = keyvStorageCapability(store);
  return store;
}
