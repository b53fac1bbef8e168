import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MintwardenError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { undecodableRow, type StoredRow } from './rows/decode.ts';

/** Reads the rows of one table by id. */
export type RowReader<T> = {
  /** The row, or null where there is none. @throws MintwardenError `state` where it is not understood */
  readonly one: (id: string) => T | null;
  /**
   * Those of the ids, in order, at most `limit`. @throws MintwardenError `state` for the first not understood
   */
  readonly strict: (ids: Iterable<string>, limit: number) => readonly T[];
  /** As `strict`, but what is not understood is left out and reported: it does not hold up the rest. */
  readonly robust: (ids: Iterable<string>, limit: number) => readonly T[];
};

/** Tells once of each row that is not understood, and how many there are. */
export type Unreadable = {
  readonly report: (table: string, id: string) => void;
  readonly count: () => number;
};

/** See `Unreadable`. */
export function unreadableRows(log: Log): Unreadable {
  const seen = new Set<string>();
  return {
    report: (table, id) => {
      const key = `${table} ${id}`;
      if (seen.has(key)) return;
      seen.add(key);
      log.error('a row of the ledger cannot be understood and is left out', { table, id });
    },
    count: () => seen.size,
  };
}

type Read<T> = { readonly row: T | null } | { readonly problem: MintwardenError };

/**
 * A reader of a table that keeps disk errors (thrown as they are) apart from rows that are not understood.
 */
export function rowReader<T>(
  db: DatabaseSync,
  table: string,
  fromRow: (row: StoredRow) => T,
  unreadable: Unreadable,
): RowReader<T> {
  const select: StatementSync = db.prepare(`SELECT * FROM ${table} WHERE id = ?`);
  const read = (id: string): Read<T> => {
    let stored: StoredRow | undefined;
    try {
      stored = select.get(id);
    } catch (error) {
      // A number that no row of ours can hold; node:sqlite refuses to hand it out.
      if (error instanceof RangeError) return { problem: undecodableRow(table, id, error) };
      throw error;
    }
    if (stored === undefined) return { row: null };
    try {
      return { row: fromRow(stored) };
    } catch (error) {
      return { problem: error as MintwardenError };
    }
  };
  const many = (
    ids: Iterable<string>,
    limit: number,
    onProblem: (id: string, problem: MintwardenError) => void,
  ): readonly T[] => {
    const rows: T[] = [];
    for (const id of ids) {
      if (rows.length >= limit) break;
      const found = read(id);
      if ('problem' in found) onProblem(id, found.problem);
      else if (found.row !== null) rows.push(found.row);
    }
    return rows;
  };
  const refuse = (_id: string, problem: MintwardenError) => {
    throw problem;
  };
  return {
    one: (id) => {
      const found = read(id);
      if ('problem' in found) throw found.problem;
      return found.row;
    },
    strict: (ids, limit) => many(ids, limit, refuse),
    robust: (ids, limit) => many(ids, limit, (id) => unreadable.report(table, id)),
  };
}
