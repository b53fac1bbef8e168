import { createDeviceRows, ROOM_KEYS, type Rows } from './device-rows.ts';
import type { Connection, FactoryInstance, RawStore } from './indexed-db.ts';
import type { Journal } from './journal.ts';

/** The engine's own database, after the name that `StoreHandle` is given. */
const DATABASE = 'engine::matrix-sdk-crypto';

/** What is kept here for others who may send it to us, and of which we make no use at all. */
const UNUSED = [
  'withheld_sessions',
  'received_room_key_bundles',
  'rooms_pending_key_bundle',
  'secrets_inbox2',
];

/**
 * Keeps the store from growing with what other people send. The engine removes nothing that it received, and
 * offers nothing to remove it with; it reads each row when it needs it, so rows may go at any time.
 */
export interface Retention {
  /** Removes what no device needs any more, of what was written since the last call. */
  trim(): Promise<void>;
  /** Removes the room keys of rooms for which it is true. `room` is hashed: see `keyLookedFor`. */
  removeRoomKeys(isDropped: (room: string) => boolean): Promise<number>;
  /** Runs `look`, and gives the key of the one room key that was looked for meanwhile; null: not exactly one. */
  keyLookedFor(look: () => Promise<unknown>): Promise<string | null>;
  /** Tells it of rows that were written. */
  written(database: string, journal: Journal): void;
  close(): void;
}

/** Opens the database a second time, after the engine has laid it out. */
export async function openRetention(factory: FactoryInstance): Promise<Retention> {
  const connection = await open(factory);
  const stores = connection._rawDatabase.rawObjectStores;
  const rows = createDeviceRows();
  for (const store of stores.values()) {
    if (!rows.covers(store.name)) continue;
    for (const { key, value } of store.records.values()) rows.noteOld(store.name, String(key), value);
  }

  return {
    async trim() {
      const unused = UNUSED.filter((name) => !isEmpty(stores.get(name)));
      await remove(connection, rows.surplus(), unused);
    },
    async removeRoomKeys(isDropped) {
      const dropped = rows.roomKeys(isDropped);
      await remove(connection, dropped, []);
      return dropped.get(ROOM_KEYS)?.length ?? 0;
    },
    async keyLookedFor(look) {
      const store = stores.get(ROOM_KEYS);
      if (store === undefined) return null;
      const read = store.getValue.bind(store);
      const seen = new Set<unknown>();
      store.getValue = (key) => {
        seen.add(key);
        return read(key);
      };
      try {
        await look();
      } finally {
        store.getValue = read;
      }
      const [key] = seen;
      return seen.size === 1 && typeof key === 'string' ? key : null;
    },
    written(database, journal) {
      if (database !== DATABASE) return;
      for (const [store, keys] of journal.touched) {
        if (!rows.covers(store.name)) continue;
        // The engine never empties one of these.
        if (keys === 'all') continue;
        for (const key of keys) rows.note(store.name, String(key), store.records.get(key)?.value);
      }
    },
    close: () => connection.close(),
  };
}

function isEmpty(store: RawStore | undefined): boolean {
  if (store === undefined) return true;
  for (const _ of store.records.values()) return false;
  return true;
}

function open(factory: FactoryInstance): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const request = factory.open(DATABASE);
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error(`cannot open ${DATABASE}`)));
  });
}

/** One transaction, written as every other: resolves once it is on disk. */
function remove(connection: Connection, rows: Rows, cleared: readonly string[]): Promise<void> {
  const names = [...rows.keys(), ...cleared];
  if (names.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const transaction = connection.transaction(names, 'readwrite');
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(new Error('rows could not be removed')));
    for (const [name, keys] of rows) for (const key of keys) transaction.objectStore(name).delete(key);
    for (const name of cleared) transaction.objectStore(name).clear();
  });
}
