import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The ids of what is due in a table at a time, the longest due first. Lazy: take as many as are wanted. */
export type DueIds = (now: number) => Iterable<string>;

/** What `due` asks of the tables. */
export type DueQueries = {
  readonly grants: DueIds;
  readonly leases: DueIds;
  readonly messages: DueIds;
  /** The earliest `next_action_at` after `now`, null where there is none. */
  readonly nextAt: (now: number) => number | null;
};

/** The ids in the first column of a query's rows. */
export function* idsOf(rows: Iterable<Record<string, unknown>>): Generator<string> {
  for (const row of rows) yield String(row['id']);
}

/**
 * Prepares the queries. A message whose predecessor still waits is not due; one whose predecessor was
 * abandoned is.
 */
export function dueQueries(db: DatabaseSync): DueQueries {
  const plain = (table: string): StatementSync =>
    db.prepare(`SELECT id FROM ${table} WHERE next_action_at <= ? ORDER BY next_action_at, n`);
  const grants = plain('grants');
  const leases = plain('leases');
  const messages = db.prepare(
    `SELECT m.id AS id FROM messages m LEFT JOIN messages before ON before.id = m.after_id
     WHERE m.next_action_at <= ? AND (m.after_id IS NULL OR before.state IN ('accepted', 'abandoned'))
     ORDER BY m.next_action_at, m.n`,
  );
  // As REAL: a number too large to be one of ours must not stop everything else.
  const next = db.prepare(
    `SELECT CAST(min(at) AS REAL) AS at FROM (
       SELECT min(next_action_at) AS at FROM grants WHERE next_action_at > :now
       UNION ALL SELECT min(next_action_at) FROM leases WHERE next_action_at > :now
       UNION ALL SELECT min(next_action_at) FROM messages WHERE next_action_at > :now)`,
  );
  return {
    grants: (now) => idsOf(grants.iterate(now)),
    leases: (now) => idsOf(leases.iterate(now)),
    messages: (now) => idsOf(messages.iterate(now)),
    nextAt: (now) => {
      const at = next.get({ now })?.['at'];
      return typeof at === 'number' ? at : null;
    },
  };
}
