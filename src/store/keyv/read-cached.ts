import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Keyv } from 'keyv';
import { diskError } from '../disk-errors.ts';
import { sqliteKeyvStore } from './sqlite-store.ts';

/**
 * One value of the cache in `file`, beside a service that may be using it; undefined where there is none.
 * @throws MintwardenError `state` where the file cannot be read
 */
export async function readCached<T>(
  file: string,
  { space, key }: { readonly space: string; readonly key: string },
): Promise<T | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    using db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
    const store = sqliteKeyvStore(db, file, Date.now);
    store.namespace = space;
    return await new Keyv<T>({ store, namespace: space }).get(key);
  } catch (error) {
    throw diskError(file, error);
  }
}
