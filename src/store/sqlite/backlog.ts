import type { DatabaseSync } from 'node:sqlite';
import type { Grant } from '../../domain/grant.ts';
import type { Backlog } from '../../ports/ledger.ts';
import { LEASE_STATES } from './rows/lease-row.ts';

const GRANT_STATES: readonly Grant['state'][] = ['minting', 'live', 'ended', 'failed'];
const DUE = {
  grants:
    'SELECT count(*) AS count, CAST(min(next_action_at) AS REAL) AS at FROM grants WHERE next_action_at <= ?',
  leases:
    'SELECT count(*) AS count, CAST(min(next_action_at) AS REAL) AS at FROM leases WHERE next_action_at <= ?',
  messages: `SELECT count(*) AS count, CAST(min(m.next_action_at) AS REAL) AS at FROM messages m LEFT JOIN messages before ON before.id = m.after_id
    WHERE m.next_action_at <= ? AND (m.after_id IS NULL OR before.state IN ('accepted', 'abandoned'))`,
} as const;

/** Prepares what metrics ask of the ledger. */
export function backlogQuery(db: DatabaseSync, unreadable: () => number): (now: number) => Backlog {
  const due = {
    grants: db.prepare(DUE.grants),
    leases: db.prepare(DUE.leases),
    messages: db.prepare(DUE.messages),
  };
  const states = {
    grants: countByState(db, 'grants', GRANT_STATES),
    leases: countByState(db, 'leases', LEASE_STATES),
  };
  const outbox = db.prepare(
    "SELECT count(*) AS count, CAST(min(created_at) AS REAL) AS at FROM messages WHERE state = 'waiting'",
  );
  const suspended = db.prepare("SELECT count(*) AS count FROM grants WHERE state = 'live' AND suspended = 1");
  const lapsed = db.prepare(
    "SELECT count(*) AS count FROM leases WHERE state = 'unkillable' AND valid_until <= ?",
  );
  const head = db.prepare('SELECT seq FROM audit_head');
  const ofRow = (row: Record<string, unknown> | undefined) => ({
    count: Number(row?.['count']),
    oldestAt: typeof row?.['at'] === 'number' ? row['at'] : null,
  });
  return (now) => {
    const { count: waiting, oldestAt } = ofRow(outbox.get());
    return {
      grants: states.grants(),
      suspended: ofRow(suspended.get()).count,
      leases: states.leases(),
      lapsed: ofRow(lapsed.get(now)).count,
      due: {
        grants: ofRow(due.grants.get(now)),
        leases: ofRow(due.leases.get(now)),
        messages: ofRow(due.messages.get(now)),
      },
      outbox: { waiting, oldestAt },
      auditRows: Number(head.get()?.['seq']),
      unreadable: unreadable(),
    };
  };
}

function countByState<S extends string>(
  db: DatabaseSync,
  table: string,
  states: readonly S[],
): () => Record<S, number> {
  const query = db.prepare(`SELECT state, count(*) AS count FROM ${table} GROUP BY state`);
  return () => {
    const counted = new Map(query.all().map((row) => [row['state'], Number(row['count'])]));
    return Object.fromEntries(states.map((state) => [state, counted.get(state) ?? 0])) as Record<S, number>;
  };
}
