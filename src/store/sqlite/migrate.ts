import type { DatabaseSync } from 'node:sqlite';
import { MintwardenError } from '../../domain/errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

/**
 * Whether the file is a ledger this version can use, without changing it.
 * @returns how many migrations were taken; 0 for an empty file
 * @throws MintwardenError `state` for a database that is not ours, or from a newer version
 */
export function checkVersion(db: DatabaseSync, file: string, known: number = MIGRATIONS.length): number {
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (application !== APPLICATION_ID && !(application === 0 && version === 0 && isEmpty(db))) {
    throw new MintwardenError(
      'state',
      `The file ${file} is a database, but not a ledger of Mintwarden.`,
      'Check the path, or give the ledger a file of its own.',
    );
  }
  if (version > known) {
    throw new MintwardenError(
      'state',
      `The ledger ${file} was written by a newer version of Mintwarden (its tables are version ${version}; this one knows ${known}).`,
      'Start the newer version again, or restore the state folder from before the upgrade.',
    );
  }
  return version;
}

/**
 * Takes the migrations that are missing, each whole or not at all.
 * @throws MintwardenError `state` as `checkVersion`; errors of SQLite as they are
 */
export function migrate(db: DatabaseSync, file: string, migrations: readonly string[] = MIGRATIONS): void {
  const from = checkVersion(db, file, migrations.length);
  for (const [index, step] of migrations.entries()) {
    if (index < from) continue;
    db.exec('BEGIN EXCLUSIVE');
    try {
      db.exec(step);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}; COMMIT;`);
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}
