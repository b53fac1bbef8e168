import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreHandle, type JsLogger } from '@matrix-org/matrix-sdk-crypto-wasm';
import { EngineError } from '../errors.ts';
import { openDatabaseFile } from './database-file.ts';
import { openDurableFactory } from './durable-factory.ts';
import { withGlobalIndexedDB } from './globals.ts';
import { checkStoreKey } from './key-check.ts';
import { openRetention, type Retention } from './retention.ts';

/** The name of the file in the store's folder (0700), itself 0600. */
const STORE_FILE = 'engine.sqlite';

export interface OpenStore {
  readonly handle: StoreHandle;
  readonly retention: Retention;
  /** Gives the file back. Only after the machine that uses the handle is closed. */
  close(): void;
}

/**
 * Opens the store in `folder`, making it if it is not there. `onFailure` is called when a commit could not
 * be written; the engine then waits for ever for that commit.
 * @throws EngineError any of the `store-…` codes
 */
export async function openStore(
  folder: string,
  storeKey: Uint8Array,
  logger: JsLogger,
  onFailure: (error: unknown) => void,
): Promise<OpenStore> {
  const file = join(folder, STORE_FILE);
  prepareFolder(folder, file);
  const sql = openDatabaseFile(file);
  try {
    checkStoreKey(sql, storeKey);
    let retention: Retention | null = null;
    const factory = await readable(file, () =>
      openDurableFactory(sql, onFailure, (database, journal) => retention?.written(database, journal)),
    );
    const handle = await withGlobalIndexedDB(factory, () =>
      readable(file, () => StoreHandle.openWithKey('engine', storeKey, logger)),
    );
    const opened = await readable(file, () => openRetention(factory));
    retention = opened;
    return {
      handle,
      retention: opened,
      close() {
        opened.close();
        close(sql);
      },
    };
  } catch (error) {
    close(sql);
    throw error;
  }
}

function prepareFolder(folder: string, file: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    closeSync(openSync(file, 'a', 0o600)); // SQLite gives its -wal and -shm files the mode of this one
    chmodSync(file, 0o600);
  } catch (error) {
    throw new EngineError(
      'store-unusable',
      `The folder of the encryption store, ${folder}, cannot be written to.`,
      'Make it a folder that belongs to this user.',
      { cause: error },
    );
  }
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      'store-damaged',
      `The encryption store ${file} cannot be read.`,
      'Never restore an older copy of it. Move it away; the bot then logs in again and signs its new device.',
      { cause: error },
    );
  }
}

function close(sql: DatabaseSync): void {
  if (sql.isOpen) sql.close();
}
