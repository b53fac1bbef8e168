import { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../errors.ts';
import { FORMAT_VERSION } from './encoding.ts';

/** "MWcs": tells our file from any other SQLite file. */
const APPLICATION_ID = 0x4d576373;

const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE databases (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
  CREATE TABLE stores (
    database TEXT NOT NULL REFERENCES databases ON DELETE CASCADE,
    name TEXT NOT NULL, key_path TEXT NOT NULL, auto_increment INTEGER NOT NULL, last_key INTEGER NOT NULL,
    PRIMARY KEY (database, name)) STRICT;
  CREATE TABLE indexes (
    database TEXT NOT NULL, store TEXT NOT NULL,
    name TEXT NOT NULL, key_path TEXT NOT NULL, is_unique INTEGER NOT NULL, multi_entry INTEGER NOT NULL,
    PRIMARY KEY (database, store, name),
    FOREIGN KEY (database, store) REFERENCES stores ON DELETE CASCADE) STRICT;
  CREATE TABLE records (
    database TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (database, store, key),
    FOREIGN KEY (database, store) REFERENCES stores ON DELETE CASCADE) STRICT, WITHOUT ROWID;`;

/**
 * Opens, and if need be lays out, the SQLite file. It stays locked against every other process until
 * closed: two engines on one account would use the same message keys twice.
 * @throws EngineError `store-in-use`, `store-newer`, `store-damaged`, `store-unusable`
 */
export function openDatabaseFile(path: string): DatabaseSync {
  let sql: DatabaseSync | undefined;
  try {
    sql = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    // Before anything is read: with EXCLUSIVE the first lock taken is kept, also by WAL.
    sql.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    sql.exec('BEGIN EXCLUSIVE');
    layOut(sql, path);
    sql.exec('COMMIT');
    giveBackSpace(sql);
    return sql;
  } catch (error) {
    sql?.close();
    throw asStoreError(error, path);
  }
}

function layOut(sql: DatabaseSync, path: string): void {
  const application = pragma(sql, 'application_id');
  const version = pragma(sql, 'user_version');
  const isEmpty = sql.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
  if (isEmpty) {
    sql.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION};`);
  } else if (application !== APPLICATION_ID) {
    throw new EngineError(
      'store-damaged',
      `${path} is not an encryption store of ours.`,
      'Move the file away, or point the state folder elsewhere.',
    );
  } else if (version > FORMAT_VERSION) {
    throw new EngineError(
      'store-newer',
      `The encryption store ${path} was written by a newer version (format ${version}; this one knows ${FORMAT_VERSION}).`,
      'Start the newer version again.',
    );
  }
}

const MIN_FREE_PAGES = 1_000;

/** Makes the file small again after a flood whose rows were removed. */
function giveBackSpace(sql: DatabaseSync): void {
  const free = pragma(sql, 'freelist_count');
  if (free >= MIN_FREE_PAGES && free > pragma(sql, 'page_count') / 2) sql.exec('VACUUM');
}

const pragma = (sql: DatabaseSync, name: string): number =>
  Number(sql.prepare(`PRAGMA ${name}`).get()?.[name]);

/** SQLite's primary result codes, https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

function asStoreError(error: unknown, path: string): unknown {
  if (error instanceof EngineError) return error;
  const result = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (result === BUSY || result === LOCKED) {
    return new EngineError(
      'store-in-use',
      `The encryption store ${path} is in use by another process.`,
      'Stop the other process first; only one may use it.',
      { cause: error },
    );
  }
  if (result === CORRUPT || result === NOT_A_DATABASE) {
    return new EngineError(
      'store-damaged',
      `The encryption store ${path} is damaged.`,
      'Never restore an older copy of it. Move it away; the bot then logs in again and signs its new device.',
      { cause: error },
    );
  }
  return new EngineError(
    'store-unusable',
    `The encryption store ${path} cannot be opened.`,
    'Check that the folder exists, belongs to this user and can be written to.',
    { cause: error },
  );
}
