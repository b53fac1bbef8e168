import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ExcludedRoom, Pin } from '../../domain/change.ts';
import type { Log } from '../../ports/log.ts';
import type { GrantFilter, Ledger, LedgerCounts } from '../../ports/ledger.ts';
import { backlogQuery } from './backlog.ts';
import { dueQueries, idsOf } from './due.ts';
import { rowReader, unreadableRows } from './reader.ts';
import { auditFromRow } from './rows/audit-row.ts';
import { grantFromRow } from './rows/grant-row.ts';
import { LEASE_STATES, leaseFromRow } from './rows/lease-row.ts';
import { messageFromRow } from './rows/message-row.ts';

/** A read-only ledger: what `audit verify` and `doctor` open while the service runs. */
export type LedgerReader = Omit<Ledger, 'commit' | 'onCommitted' | 'use'>;

type Synchronous<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : T[K];
};

/** The look-ups as plain functions that throw errors of SQLite as they are. */
export type Queries = Synchronous<Omit<LedgerReader, 'close'>>;

const EVERYTHING = Number.MAX_SAFE_INTEGER;

/** Lists grants; a statement for each combination of filters, so that each can use its index. */
function grantIds(db: DatabaseSync): (filter: GrantFilter) => Iterable<string> {
  const statements = new Map<string, StatementSync>();
  return ({ states, subject, minter }) => {
    const asked: [clause: string, parameters: Record<string, string>][] = [];
    if (states !== undefined)
      asked.push(['state IN (SELECT value FROM json_each(:states))', { states: JSON.stringify(states) }]);
    if (subject !== undefined) asked.push(['subject = :subject', { subject }]);
    if (minter !== undefined) asked.push(['minter = :minter', { minter }]);
    const where = asked.map(([clause]) => clause).join(' AND ') || 'TRUE';
    const statement =
      statements.get(where) ??
      db.prepare(`SELECT id FROM grants WHERE ${where} ORDER BY created_at DESC, n DESC`);
    statements.set(where, statement);
    return idsOf(statement.iterate(Object.assign({}, ...asked.map(([, parameters]) => parameters))));
  };
}

function counter(db: DatabaseSync, unreadable: () => number): () => LedgerCounts {
  const totals = db.prepare(
    `SELECT (SELECT count(*) FROM grants) AS grants, (SELECT count(*) FROM grants WHERE state = 'live') AS live,
       (SELECT count(*) FROM messages WHERE state = 'waiting') AS waiting, head.seq AS seq, head.hash AS hash FROM audit_head head`,
  );
  const leases = db.prepare('SELECT state, count(*) AS count FROM leases GROUP BY state');
  return () => {
    const row = totals.get();
    const byState = new Map(leases.all().map((group) => [group['state'], Number(group['count'])]));
    return {
      grantsEver: Number(row?.['grants']),
      live: Number(row?.['live']),
      leases: Object.fromEntries(
        LEASE_STATES.map((state) => [state, byState.get(state) ?? 0]),
      ) as LedgerCounts['leases'],
      messagesWaiting: Number(row?.['waiting']),
      auditRows: Number(row?.['seq']),
      auditHead: String(row?.['hash']),
      unreadable: unreadable(),
    };
  };
}

/**
 * Prepares every look-up. Where rows are listed for work or for display (`due`, `grants`), one that is not
 * understood is left out, logged and counted; where one was asked for, it is an error.
 */
export function ledgerQueries(db: DatabaseSync, log: Log): Queries {
  const unreadable = unreadableRows(log);
  const grants = rowReader(db, 'grants', grantFromRow, unreadable);
  const leases = rowReader(db, 'leases', leaseFromRow, unreadable);
  const messages = rowReader(db, 'messages', messageFromRow, unreadable);
  const due = dueQueries(db);
  const listGrants = grantIds(db);
  const byPrefix = db.prepare(
    "SELECT id FROM grants WHERE id >= :p AND id < :p || '~' ORDER BY id LIMIT :limit",
  );
  const leaseIds = db.prepare('SELECT id FROM leases WHERE grant_id = ? ORDER BY created_at, n');
  const messageIds = db.prepare('SELECT id FROM messages WHERE grant_id = ? ORDER BY created_at, n');
  const excluded = db.prepare('SELECT room_id, why, user_id FROM excluded_rooms ORDER BY n');
  const pin = db.prepare('SELECT user_id, master_key, at FROM pins WHERE user_id = ?');
  const seen = db.prepare(
    'SELECT 1 FROM commands WHERE event_id = ? OR (session_id = ? AND message_index = ?)',
  );
  const audit = db.prepare('SELECT seq, event, previous, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?');
  const uses = db.prepare('SELECT used FROM uses WHERE grant_id = ?');
  const counts = counter(db, unreadable.count);

  return {
    grant: (id) => grants.one(id),
    grantsByPrefix: (prefix, limit) => grants.strict(idsOf(byPrefix.iterate({ p: prefix, limit })), limit),
    grants: (filter) => grants.robust(listGrants(filter), filter.limit),
    lease: (id) => leases.one(id),
    leases: (grantId) => leases.strict(idsOf(leaseIds.iterate(grantId)), EVERYTHING),
    message: (id) => messages.one(id),
    messages: (grantId) => messages.strict(idsOf(messageIds.iterate(grantId)), EVERYTHING),
    due: (now, limit) => ({
      grants: grants.robust(due.grants(now), limit),
      leases: leases.robust(due.leases(now), limit),
      messages: messages.robust(due.messages(now), limit),
      nextAt: due.nextAt(now),
    }),
    excluded: () =>
      excluded
        .all()
        .map(
          (row) =>
            ({ roomId: row['room_id'], why: row['why'], userId: row['user_id'] }) as unknown as ExcludedRoom,
        ),
    pin: (userId) => {
      const row = pin.get(userId);
      return row === undefined
        ? null
        : ({ userId: row['user_id'], masterKey: row['master_key'], at: row['at'] } as Pin);
    },
    commandSeen: (eventId, sessionId, messageIndex) =>
      seen.get(eventId, sessionId, messageIndex) !== undefined,
    counts,
    backlog: backlogQuery(db, unreadable.count),
    uses: (id) => Number(uses.get(id)?.['used'] ?? 0),
    audit: (afterSeq, limit) => audit.all(afterSeq, limit).map(auditFromRow),
  };
}
