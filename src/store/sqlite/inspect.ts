import { DatabaseSync } from 'node:sqlite';
import { diskError, sqliteCode } from '../disk-errors.ts';
import { BUSY_TIMEOUT_MS } from './erase.ts';

/** What can be told of the file of a ledger without understanding its rows. */
export type Inspection = {
  /** What SQLite finds wrong with the file, in its own words; empty: it is whole. At most a few of them. */
  readonly damage: readonly string[];
  /** The names of the keys that secrets in it are sealed with. */
  readonly sealedWith: readonly string[];
};

const DAMAGED = new Set([11, 26]);

/**
 * Checks the whole file, also while the service runs. Writes nothing.
 * @throws MintwardenError `state` where it cannot be opened; damage is no error here
 */
export function inspectLedger(file: string): Inspection {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    // The whole check and not the quick one: rows missing from an index would be grants that nobody finds.
    const said = db
      .prepare('PRAGMA integrity_check(3)')
      .all()
      .map((row) => String(row['integrity_check']));
    const lost = db.prepare('PRAGMA foreign_key_check').all().length;
    const damage = [
      ...said.filter((line) => line !== 'ok'),
      ...(lost === 0 ? [] : [`${String(lost)} rows point to rows that are not there`]),
    ];
    return { damage, sealedWith: damage.length > 0 ? [] : keysOf(db) };
  } catch (error) {
    if (!DAMAGED.has(sqliteCode(error) ?? 0)) throw diskError(file, error);
    return { damage: [error instanceof Error ? error.message : 'damaged'], sealedWith: [] };
  } finally {
    db?.close();
  }
}

/** A sealed value reads `v1.<key id>.…`; see `store/seal/sealer.ts`. */
function keysOf(db: DatabaseSync): readonly string[] {
  const rows = db
    .prepare(
      `SELECT DISTINCT substr(sealed, 1, 80) AS sealed FROM
         (SELECT sealed_token AS sealed FROM grants WHERE sealed_token IS NOT NULL
          UNION ALL SELECT sealed FROM leases WHERE sealed IS NOT NULL)`,
    )
    .all();
  return [...new Set(rows.map((row) => String(row['sealed']).split('.')[1] ?? ''))].filter((id) => id !== '');
}
