import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Columns } from './rows/decode.ts';

/**
 * `conflict`: the stored revision is not the one before. `erased`: written, and a sealed secret went or was
 * replaced.
 */
export type Put = 'written' | 'erased' | 'conflict';

/**
 * Writes rows of one table under optimistic revisions: 1 makes a new row, n follows n - 1, anything else
 * is a conflict.
 * @param sealedColumn the column whose old content has to be gone from the file when it is replaced
 */
export function versionedRows(
  db: DatabaseSync,
  table: string,
  sealedColumn: string | null,
): (columns: Columns) => Put {
  const find = db.prepare(`SELECT revision, ${sealedColumn ?? 'NULL'} AS sealed FROM ${table} WHERE id = ?`);
  const names = db
    .prepare(`SELECT name FROM pragma_table_info('${table}') WHERE name <> 'n'`)
    .all()
    .map((column) => String(column['name']));
  const insert: StatementSync = db.prepare(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`,
  );
  const changing = names.filter((name) => name !== 'id').map((name) => `${name} = :${name}`);
  const update = db.prepare(`UPDATE ${table} SET ${changing.join(', ')} WHERE id = :id`);

  return (columns) => {
    const stored = find.get(columns.id);
    const revision = stored === undefined ? 0 : Number(stored['revision']);
    if (columns.revision !== revision + 1) return 'conflict';
    (stored === undefined ? insert : update).run(columns);
    const had = stored?.['sealed'] ?? null;
    return sealedColumn !== null && had !== null && had !== columns[sealedColumn] ? 'erased' : 'written';
  };
}
