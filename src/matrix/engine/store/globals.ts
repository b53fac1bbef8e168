import {
  IDBCursor,
  IDBCursorWithValue,
  IDBDatabase,
  IDBKeyRange,
  IDBOpenDBRequest,
  IDBRequest,
} from 'fake-indexeddb';
import { EngineError } from '../errors.ts';
import type { FactoryInstance } from './indexed-db.ts';

/**
 * The WASM cannot be handed an IndexedDB: it reads `globalThis.indexedDB` when it opens a store, and names
 * these classes in `instanceof` and for key ranges ever after.
 */
const CLASSES: Record<string, unknown> = {
  IDBCursor,
  IDBCursorWithValue,
  IDBDatabase,
  IDBKeyRange,
  IDBOpenDBRequest,
  IDBRequest,
};

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs `open` while `globalThis.indexedDB` is the given factory, one at a time, so that each store gets its
 * own; afterwards the global is what it was before.
 */
export function withGlobalIndexedDB<T>(factory: FactoryInstance, open: () => Promise<T>): Promise<T> {
  const result = turn.then(async () => {
    installClasses();
    const before = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
    Object.defineProperty(globalThis, 'indexedDB', { value: factory, configurable: true });
    try {
      return await open();
    } finally {
      if (before) Object.defineProperty(globalThis, 'indexedDB', before);
      else Reflect.deleteProperty(globalThis, 'indexedDB');
    }
  });
  turn = result.catch(() => undefined);
  return result;
}

function installClasses(): void {
  for (const [name, value] of Object.entries(CLASSES)) {
    const present = Reflect.get(globalThis, name) as unknown;
    if (present === value) continue;
    if (present !== undefined) {
      throw new EngineError(
        'store-unusable',
        `Another ${name} is installed in this process.`,
        'Do not load another IndexedDB beside the encryption engine.',
      );
    }
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
