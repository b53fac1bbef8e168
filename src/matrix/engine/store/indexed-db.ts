/**
 * The parts of IndexedDB, and of the inside of fake-indexeddb 6.2.8 (pinned), that the durable store
 * stands on. TypeScript's own types of IndexedDB come only with the whole DOM.
 */
import { IDBFactory as Factory } from 'fake-indexeddb';

export type Key = unknown;
export type KeyPath = string | string[] | null;

export interface StoreEvent {
  stopImmediatePropagation(): void;
}

interface Listening {
  addEventListener(type: string, listener: (event: StoreEvent) => void): void;
}

interface OpenRequest extends Listening {
  readonly result: Connection;
  readonly error: Error | null;
  readonly transaction: Transaction | null;
}

export interface Transaction extends Listening {
  readonly mode: 'readonly' | 'readwrite' | 'versionchange';
  /** Inner: the one array by which a raw store knows the transaction that changes it. */
  readonly _rollbackLog: object;
  objectStore(name: string): ObjectStore;
  abort(): void;
}

interface ObjectStore {
  put(value: unknown, key?: Key): unknown;
  delete(key: Key): unknown;
  clear(): unknown;
  createIndex(name: string, keyPath: KeyPath, options: { unique: boolean; multiEntry: boolean }): unknown;
}

export interface Connection {
  readonly name: string;
  readonly version: number;
  readonly _rawDatabase: RawDatabase;
  transaction(names: string | string[], mode?: string, options?: object): Transaction;
  createObjectStore(name: string, options: { keyPath: KeyPath; autoIncrement: boolean }): ObjectStore;
  close(): void;
}

export interface FactoryInstance {
  open(name: string, version?: number): OpenRequest;
  deleteDatabase(name: string): OpenRequest;
}

/** Inner: what all connections to one database share. */
export interface RawDatabase {
  readonly rawObjectStores: Map<string, RawStore>;
}

/** Inner: where every change to a record passes, whichever public method asked for it. */
export interface RawStore {
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly autoIncrement: boolean;
  readonly keyGenerator: { num: number } | null;
  readonly rawIndexes: Map<string, RawIndex>;
  readonly records: { get(key: Key): StoredRecord | undefined; values(range?: Key): Iterable<StoredRecord> };
  getValue(key: Key): unknown;
  storeRecord(record: { key: Key; value: unknown }, noOverwrite: boolean, log?: object): Key;
  deleteRecord(keyOrRange: Key, log?: object): void;
  clear(log?: object): void;
}

interface RawIndex {
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly multiEntry: boolean;
  readonly unique: boolean;
}

interface StoredRecord {
  readonly key: Key;
  readonly value: unknown;
}

/** A new, empty factory in memory. */
export function createFactory(): FactoryInstance {
  return new (Factory as unknown as new () => FactoryInstance)();
}
