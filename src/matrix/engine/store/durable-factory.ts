import type { DatabaseSync } from 'node:sqlite';
import {
  createFactory,
  type Connection,
  type FactoryInstance,
  type RawStore,
  type StoreEvent,
} from './indexed-db.ts';
import { startJournal, type Journal } from './journal.ts';
import { loadDatabases } from './reader.ts';
import { createWriter } from './writer.ts';

/**
 * IndexedDB in memory (fake-indexeddb) whose every committed transaction is in the file, flushed, before
 * anyone hears that it is complete. When a write fails, `onFailure` is called and the transaction is never
 * reported complete, so that nothing that depends on it can leave the process. `onWritten` is called after
 * each transaction that was written.
 */
export async function openDurableFactory(
  sql: DatabaseSync,
  onFailure: (error: unknown) => void,
  onWritten: (database: string, journal: Journal) => void = () => {},
): Promise<FactoryInstance> {
  const factory = createFactory();
  await loadDatabases(sql, factory); // before the listeners below, or all of it would be written again
  const writer = createWriter(sql);
  const open = factory.open.bind(factory);
  const deleteDatabase = factory.deleteDatabase.bind(factory);

  let hasFailed = false;
  /** Nobody listens before us: these are added while the transaction or request is being made. */
  const orStop = (write: () => void) => (event: StoreEvent) => {
    try {
      // After one failure memory and file differ: nothing may be written on top of that.
      if (hasFailed) throw new Error('an earlier write failed');
      write();
    } catch (error) {
      hasFailed = true;
      event.stopImmediatePropagation();
      onFailure(error);
    }
  };

  factory.open = (name, version) => {
    const request = open(name, version);
    request.addEventListener('upgradeneeded', () => {
      const connection = request.result;
      request.transaction?.addEventListener(
        'complete',
        orStop(() => writer.writeDatabase(name, connection.version, connection._rawDatabase)),
      );
    });
    request.addEventListener('success', () => follow(request.result));
    return request;
  };
  factory.deleteDatabase = (name) => {
    const request = deleteDatabase(name);
    request.addEventListener(
      'success',
      orStop(() => writer.deleteDatabase(name)),
    );
    return request;
  };

  const follow = (connection: Connection): void => {
    const begin = connection.transaction.bind(connection);
    connection.transaction = (names, mode, options) => {
      const transaction = begin(names, mode, options);
      if (transaction.mode === 'readwrite') {
        const journal = startJournal(transaction, storesOf(connection, names));
        transaction.addEventListener(
          'complete',
          orStop(() => {
            writer.writeJournal(connection.name, journal);
            onWritten(connection.name, journal);
          }),
        );
      }
      return transaction;
    };
  };
  return factory;
}

function* storesOf(connection: Connection, names: string | Iterable<string>): Iterable<RawStore> {
  for (const name of typeof names === 'string' ? [names] : names) {
    const store = connection._rawDatabase.rawObjectStores.get(name);
    if (store) yield store;
  }
}
