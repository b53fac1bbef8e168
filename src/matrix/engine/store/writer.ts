import type { DatabaseSync } from 'node:sqlite';
import { encode } from './encoding.ts';
import type { RawDatabase, RawStore } from './indexed-db.ts';
import type { Journal } from './journal.ts';

/** Writes to the file, each call one SQLite transaction, on disk when it returns. Errors are SQLite's. */
export interface Writer {
  /** The records that a readwrite transaction touched, as they are now. */
  writeJournal(database: string, journal: Journal): void;
  /** A whole database rewritten, after its layout changed: renames, removals and additions are all in it. */
  writeDatabase(database: string, version: number, raw: RawDatabase): void;
  deleteDatabase(database: string): void;
}

export function createWriter(sql: DatabaseSync): Writer {
  const put = sql.prepare(
    'INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const remove = sql.prepare('DELETE FROM records WHERE database = ? AND store = ? AND key = ?');
  const clear = sql.prepare('DELETE FROM records WHERE database = ? AND store = ?');
  const lastKey = sql.prepare('UPDATE stores SET last_key = ? WHERE database = ? AND name = ?');
  const addDatabase = sql.prepare('INSERT INTO databases VALUES (?, ?)');
  const dropDatabase = sql.prepare('DELETE FROM databases WHERE name = ?');
  const addStore = sql.prepare('INSERT INTO stores VALUES (?, ?, ?, ?, ?)');
  const addIndex = sql.prepare('INSERT INTO indexes VALUES (?, ?, ?, ?, ?, ?)');

  const atomically = (write: () => void): void => {
    sql.exec('BEGIN IMMEDIATE');
    write();
    sql.exec('COMMIT');
  };
  const putAll = (database: string, store: RawStore): void => {
    for (const { key, value } of store.records.values()) {
      put.run(database, store.name, encode(key), encode(value));
    }
  };

  return {
    writeJournal(database, journal) {
      if (journal.touched.size === 0) return;
      atomically(() => {
        for (const [store, keys] of journal.touched) {
          if (keys === 'all') {
            clear.run(database, store.name);
            putAll(database, store);
          } else {
            for (const key of keys) {
              const record = store.records.get(key);
              if (record) put.run(database, store.name, encode(key), encode(record.value));
              else remove.run(database, store.name, encode(key));
            }
          }
          if (store.keyGenerator) lastKey.run(store.keyGenerator.num, database, store.name);
        }
      });
    },
    writeDatabase(database, version, raw) {
      atomically(() => {
        dropDatabase.run(database);
        addDatabase.run(database, version);
        for (const store of raw.rawObjectStores.values()) {
          const { name, keyPath, autoIncrement, keyGenerator, rawIndexes } = store;
          addStore.run(
            database,
            name,
            JSON.stringify(keyPath),
            Number(autoIncrement),
            keyGenerator?.num ?? 0,
          );
          for (const index of rawIndexes.values()) {
            const { unique, multiEntry } = index;
            const path = JSON.stringify(index.keyPath);
            addIndex.run(database, name, index.name, path, Number(unique), Number(multiEntry));
          }
          putAll(database, store);
        }
      });
    },
    deleteDatabase(database) {
      atomically(() => dropDatabase.run(database));
    },
  };
}
