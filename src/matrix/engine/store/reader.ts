import type { DatabaseSync } from 'node:sqlite';
import { decode } from './encoding.ts';
import type { Connection, FactoryInstance, KeyPath } from './indexed-db.ts';

/** Fills an empty factory with what the file holds. Rejects when a value cannot be read back. */
export async function loadDatabases(sql: DatabaseSync, factory: FactoryInstance): Promise<void> {
  for (const { name, version } of sql.prepare('SELECT name, version FROM databases').all()) {
    await loadDatabase(sql, factory, String(name), Number(version));
  }
}

function loadDatabase(
  sql: DatabaseSync,
  factory: FactoryInstance,
  name: string,
  version: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, version);
    request.addEventListener('upgradeneeded', () => {
      try {
        fill(sql, name, request.result);
      } catch (error) {
        reject(error);
        request.transaction?.abort();
      }
    });
    request.addEventListener('success', () => {
      request.result.close();
      resolve();
    });
    request.addEventListener('error', () => reject(request.error ?? new Error(`cannot load ${name}`)));
  });
}

function fill(sql: DatabaseSync, database: string, connection: Connection): void {
  const records = sql.prepare('SELECT key, value FROM records WHERE database = ? AND store = ?');
  const indexes = sql.prepare('SELECT * FROM indexes WHERE database = ? AND store = ?');
  for (const row of sql.prepare('SELECT * FROM stores WHERE database = ?').all(database)) {
    const name = String(row['name']);
    const keyPath = JSON.parse(String(row['key_path'])) as KeyPath;
    const store = connection.createObjectStore(name, { keyPath, autoIncrement: row['auto_increment'] === 1 });
    for (const { key, value } of records.iterate(database, name)) {
      if (keyPath === null) store.put(decode(String(value)), decode(String(key)));
      else store.put(decode(String(value)));
    }
    for (const index of indexes.all(database, name)) {
      store.createIndex(String(index['name']), JSON.parse(String(index['key_path'])) as KeyPath, {
        unique: index['is_unique'] === 1,
        multiEntry: index['multi_entry'] === 1,
      });
    }
    // Keys once given out are not given out again, even if their records are gone.
    const generator = connection._rawDatabase.rawObjectStores.get(name)?.keyGenerator;
    if (generator) generator.num = Number(row['last_key']);
  }
}
