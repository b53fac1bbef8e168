import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabaseFile } from '../../../src/matrix/engine/store/database-file.ts';
import { openDurableFactory } from '../../../src/matrix/engine/store/durable-factory.ts';
import { settled } from '../../support/wait.ts';

/** IndexedDB as a web page sees it; TypeScript's own types of it come only with the whole DOM. */
// oxlint-disable-next-line typescript/no-explicit-any
type Web = any;

const range = IDBKeyRange as Web;

describe('the durable IndexedDB', () => {
  let path: string;
  let sql: DatabaseSync;
  let factory: Web;
  let failed: ReturnType<typeof vi.fn<(error: unknown) => void>>;

  const start = async (): Promise<void> => {
    failed = vi.fn<(error: unknown) => void>();
    sql = openDatabaseFile(path);
    factory = await openDurableFactory(sql, failed);
  };
  /** As after a kill: nothing is asked of the factory that goes. */
  const restart = async (): Promise<void> => {
    sql.close();
    await start();
  };
  const open = (
    version: number,
    upgrade: (database: Web, transaction: Web) => void = () => {},
  ): Promise<Web> =>
    new Promise((resolve, reject) => {
      const request = factory.open('db', version);
      request.onupgradeneeded = () => upgrade(request.result, request.transaction);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error as Error);
    });
  const change = (database: Web, names: string[], work: (transaction: Web) => void): Promise<string> =>
    new Promise((resolve) => {
      const transaction = database.transaction(names, 'readwrite');
      transaction.oncomplete = () => resolve('complete');
      transaction.onabort = () => resolve('abort');
      work(transaction);
    });
  const read = (source: Web): Promise<Web> =>
    new Promise((resolve, reject) => {
      source.onsuccess = () => resolve(source.result);
      source.onerror = () => reject(source.error as Error);
    });
  const contents = async (name: string, version = 1): Promise<Web[]> => {
    await restart();
    const database = await open(version);
    const store = database.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all([read(store.getAllKeys()), read(store.getAll())]);
    return keys.map((key: unknown, at: number) => [key, values[at]]);
  };
  const simple = (): Promise<Web> => open(1, (database) => database.createObjectStore('s'));

  beforeEach(async () => {
    path = join(mkdtempSync(join(tmpdir(), 'mw-idb-')), 'test.sqlite');
    await start();
  });
  afterEach(() => {
    if (sql.isOpen) sql.close();
    rmSync(dirname(path), { recursive: true });
  });

  it('has on disk what was put, overwritten and deleted', async () => {
    const database = await simple();
    await change(database, ['s'], (tx) => {
      const store = tx.objectStore('s');
      for (const key of ['a', 'b', 'c', 'd']) store.put({ of: key }, key);
      store.delete('b');
      store.put('new', 'c');
      store.add('kept', 'e');
    });
    expect(await contents('s')).toEqual([
      ['a', { of: 'a' }],
      ['c', 'new'],
      ['d', { of: 'd' }],
      ['e', 'kept'],
    ]);
  });

  it('has it there before anyone hears of it', async () => {
    const database = await simple();
    const rows = await new Promise((resolve) => {
      const transaction = database.transaction(['s'], 'readwrite');
      transaction.addEventListener('complete', () => {
        resolve(sql.prepare('SELECT count(*) AS n FROM records').get()?.['n']);
      });
      transaction.objectStore('s').put(1, 'a');
    });
    expect(rows).toBe(1);
  });

  it('follows deleted ranges, cleared stores and cursors', async () => {
    const database = await open(1, (db) => ['r', 'c', 'u'].forEach((name) => db.createObjectStore(name)));
    const all = ['r', 'c', 'u'];
    await change(database, all, (tx) => {
      for (const name of all) for (let key = 1; key <= 5; key++) tx.objectStore(name).put(key * 10, key);
    });
    await change(database, all, (tx) => {
      tx.objectStore('r').delete(range.bound(2, 4));
      tx.objectStore('c').clear();
      tx.objectStore('c').put('after', 9);
      const request = tx.objectStore('u').openCursor();
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) return;
        if (cursor.key === 2) cursor.delete();
        else cursor.update(cursor.value + 1);
        cursor.continue();
      };
    });
    expect(await contents('r')).toEqual([
      [1, 10],
      [5, 50],
    ]);
    expect(await contents('c')).toEqual([[9, 'after']]);
    expect(await contents('u')).toEqual([
      [1, 11],
      [3, 31],
      [4, 41],
      [5, 51],
    ]);
  });

  it('writes nothing of a transaction that was aborted', async () => {
    const database = await simple();
    await change(database, ['s'], (tx) => tx.objectStore('s').put('first', 'a'));
    const outcome = await change(database, ['s'], (tx) => {
      tx.objectStore('s').put('second', 'a');
      tx.objectStore('s').put('more', 'b');
      tx.abort();
    });
    expect(outcome).toBe('abort');
    expect(await contents('s')).toEqual([['a', 'first']]);
  });

  it('writes nothing of a request that failed inside a transaction that went on', async () => {
    const database = await open(1, (db) => {
      db.createObjectStore('s').createIndex('name', 'name', { unique: true });
    });
    const outcome = await change(database, ['s'], (tx) => {
      const store = tx.objectStore('s');
      store.put({ name: 'x' }, 1);
      const twice = store.put({ name: 'x' }, 2);
      twice.onerror = (event: Web) => event.preventDefault();
      const again = store.add({ name: 'y' }, 1);
      again.onerror = (event: Web) => event.preventDefault();
      store.put({ name: 'z' }, 3);
    });
    expect(outcome).toBe('complete');
    expect(await contents('s')).toEqual([
      [1, { name: 'x' }],
      [3, { name: 'z' }],
    ]);
  });

  it('keeps keys of every kind apart', async () => {
    const keys = [
      -1.5,
      1,
      new Date(1),
      '\0',
      '1',
      '\uD800',
      new Uint8Array([1]).buffer,
      [1],
      ['1', [new Date(1)]],
    ];
    const database = await simple();
    await change(database, ['s'], (tx) => keys.forEach((key, at) => tx.objectStore('s').put(at, key)));
    expect((await contents('s')).map(([key, at]) => [at, key])).toEqual(keys.map((key, at) => [at, key]));
  });

  it('keeps key paths, indexes and the numbers a generator has given out', async () => {
    const database = await open(1, (db) => {
      const store = db.createObjectStore('s', { keyPath: 'id', autoIncrement: true });
      store.createIndex('tags', 'tags', { multiEntry: true });
      db.createObjectStore('pair', { keyPath: ['a', 'b'] });
    });
    await change(database, ['s', 'pair'], (tx) => {
      for (const tag of ['x', 'y', 'z']) tx.objectStore('s').add({ tags: [tag, 'all'] });
      tx.objectStore('s').delete(3);
      tx.objectStore('pair').put({ a: 1, b: 'x', c: true });
    });
    await restart();
    const again = await open(1);
    const tags = again.transaction('s').objectStore('s').index('tags');
    expect(await read(tags.getAllKeys('all'))).toEqual([1, 2]);
    expect(await read(again.transaction('pair').objectStore('pair').get([1, 'x']))).toEqual({
      a: 1,
      b: 'x',
      c: true,
    });
    let added: Web;
    await change(again, ['s'], (tx) => {
      added = tx.objectStore('s').add({ tags: [] });
    });
    expect(added.result).toBe(4);
  });

  it('keeps renamed stores and indexes under their new names', async () => {
    const database = await open(1, (db) => {
      db.createObjectStore('old').createIndex('was', 'n');
      db.createObjectStore('gone');
    });
    await change(database, ['old', 'gone'], (tx) => {
      tx.objectStore('old').put({ n: 7 }, 'key');
      tx.objectStore('gone').put(1, 1);
    });
    database.close();
    const upgraded = await open(2, (db, tx) => {
      const store = tx.objectStore('old');
      store.name = 'new';
      store.index('was').name = 'is';
      store.put({ n: 8 }, 'second');
      db.deleteObjectStore('gone');
    });
    await change(upgraded, ['new'], (tx) => tx.objectStore('new').put({ n: 9 }, 'third'));
    await restart();
    const again = await open(2);
    expect([...again.objectStoreNames]).toEqual(['new']);
    const store = again.transaction('new').objectStore('new');
    expect([...store.indexNames]).toEqual(['is']);
    expect(await read(store.index('is').getAllKeys(range.lowerBound(8)))).toEqual(['second', 'third']);
  });

  it('keeps the old layout when an upgrade is aborted', async () => {
    const database = await simple();
    await change(database, ['s'], (tx) => tx.objectStore('s').put(1, 'a'));
    database.close();
    await expect(
      open(2, (db, tx) => {
        tx.objectStore('s').clear();
        db.deleteObjectStore('s');
        tx.abort();
      }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(await contents('s', 1)).toEqual([['a', 1]]);
  });

  it('forgets a deleted database, and only that', async () => {
    (await simple()).close();
    const other: Web = await new Promise((resolve) => {
      const request = factory.open('other', 3);
      request.onupgradeneeded = () => request.result.createObjectStore('o');
      request.onsuccess = () => resolve(request.result);
    });
    await change(other, ['o'], (tx) => tx.objectStore('o').put(1, 1));
    await read(factory.deleteDatabase('db'));
    await restart();
    expect(await factory.databases()).toEqual([{ name: 'other', version: 3 }]);
    const left = sql.prepare('SELECT DISTINCT database FROM records UNION SELECT database FROM stores').all();
    expect(left).toEqual([{ database: 'other' }]);
  });

  describe('when the disk refuses', () => {
    const refuse = (): void => {
      sql.exec('PRAGMA query_only = ON');
    };

    it('tells of the failure and never that the change is complete', async () => {
      const database = await simple();
      refuse();
      const complete = vi.fn<() => void>();
      const transaction = database.transaction(['s'], 'readwrite');
      transaction.addEventListener('complete', complete);
      transaction.oncomplete = complete;
      transaction.objectStore('s').put(1, 'a');
      await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
      await settled();
      expect(complete).not.toHaveBeenCalled();
    });

    it('writes nothing later either, though the disk has recovered', async () => {
      const database = await simple();
      refuse();
      void change(database, ['s'], (tx) => tx.objectStore('s').put(1, 'lost'));
      await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
      sql.exec('PRAGMA query_only = OFF');
      void change(database, ['s'], (tx) => tx.objectStore('s').put(2, 'later'));
      await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(2));
      expect(await contents('s')).toEqual([]);
    });

    it('tells of a failed upgrade and a failed deletion too', async () => {
      (await simple()).close();
      refuse();
      void factory.deleteDatabase('db');
      await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1));
      void open(5, (db) => db.createObjectStore('more'));
      await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(2));
      await restart();
      expect(await factory.databases()).toEqual([{ name: 'db', version: 1 }]);
    });

    it('tells of a value that has no encoding', async () => {
      const database = await simple();
      void change(database, ['s'], (tx) => tx.objectStore('s').put(new Blob(['x']), 'a'));
      await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
    });
  });
});
