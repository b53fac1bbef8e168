import type { Key, RawStore, Transaction } from './indexed-db.ts';

/** What one readwrite transaction has touched: the keys by store, or the whole store. */
export interface Journal {
  readonly touched: Map<RawStore, Set<Key> | 'all'>;
}

/** By the transaction's rollback log, which is all that a raw store sees of the transaction. */
const journals = new WeakMap<object, Journal>();
const watched = new WeakSet<RawStore>();

/**
 * Notes from now on which records `transaction` touches in `stores`. The records' state is read at the
 * commit, so that a change that was undone inside the transaction needs no care here.
 */
export function startJournal(transaction: Transaction, stores: Iterable<RawStore>): Journal {
  const journal: Journal = { touched: new Map() };
  journals.set(transaction._rollbackLog, journal);
  for (const store of stores) watch(store);
  return journal;
}

/** Puts a note-taker before the three methods through which every change of a record goes. */
function watch(store: RawStore): void {
  if (watched.has(store)) return;
  watched.add(store);
  const storeRecord = store.storeRecord.bind(store);
  const deleteRecord = store.deleteRecord.bind(store);
  const clear = store.clear.bind(store);
  store.storeRecord = (record, noOverwrite, log) => {
    try {
      return storeRecord(record, noOverwrite, log);
    } finally {
      // The store fills in the key, where it comes from the value or a generator.
      if (record.key !== undefined) note(store, log, [record.key]);
    }
  };
  store.deleteRecord = (keyOrRange, log) => {
    if (log) {
      const isRange = typeof keyOrRange === 'object' && keyOrRange !== null && 'lowerOpen' in keyOrRange;
      note(
        store,
        log,
        isRange ? Array.from(store.records.values(keyOrRange), (record) => record.key) : [keyOrRange],
      );
    }
    deleteRecord(keyOrRange, log);
  };
  store.clear = (log) => {
    if (log) journals.get(log)?.touched.set(store, 'all');
    clear(log);
  };
}

function note(store: RawStore, log: object | undefined, keys: readonly Key[]): void {
  const touched = log && journals.get(log)?.touched;
  if (!touched) return;
  const known = touched.get(store);
  if (known === 'all') return;
  if (known) for (const key of keys) known.add(key);
  else touched.set(store, new Set(keys));
}
