import type { DatabaseSync } from 'node:sqlite';
import type { EventId, GrantId, LeaseId, RoomId } from '../../domain/ids.ts';
import type { Transaction, TransactionKey, Transactions } from '../../ports/transactions.ts';
import type { Opened } from './ledger.ts';
import { guarded } from './ledger.ts';

/**
 * The writes of grants over an opened database whose tables are of this version. Each call is one
 * transaction.
 */
export function createTransactions(opened: Opened): Transactions {
  const guard = guarded(opened);
  const statements = prepared(opened.db);
  const keyOf = ({ grantId, roomId, action, txnId }: TransactionKey) =>
    [grantId, roomId, action, txnId] as const;
  return {
    find: (key) =>
      guard(() => {
        const row = statements.find.get(...keyOf(key));
        return row === undefined ? null : fromRow(row);
      }),
    begin: (begun) =>
      guard(
        () => statements.begin.run(...keyOf(begun), begun.digest, begun.leaseId, begun.begunAt).changes === 1,
      ),
    resume: (key, leaseId) => guard(() => void statements.resume.run(leaseId, ...keyOf(key))),
    sent: (key, eventId) => guard(() => void statements.sent.run(eventId, ...keyOf(key))),
    unsent: (key) => guard(() => void statements.unsent.run(...keyOf(key))),
    forgetBefore: (endedAt) => guard(() => void statements.forget.run(endedAt)),
  };
}

const KEY = 'grant_id = ? AND room_id = ? AND deed = ? AND txn_id = ?';

function prepared(db: DatabaseSync) {
  return {
    find: db.prepare(`SELECT * FROM transactions WHERE ${KEY}`),
    begin: db.prepare(
      `INSERT INTO transactions (grant_id, room_id, deed, txn_id, digest, lease_id, begun_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    ),
    resume: db.prepare(`UPDATE transactions SET lease_id = ? WHERE ${KEY} AND event_id IS NULL`),
    sent: db.prepare(`UPDATE transactions SET event_id = ? WHERE ${KEY} AND event_id IS NULL`),
    unsent: db.prepare(`DELETE FROM transactions WHERE ${KEY} AND event_id IS NULL`),
    forget: db.prepare(
      `DELETE FROM transactions WHERE grant_id IN (SELECT id FROM grants WHERE state IN ('ended', 'failed') AND ended_at < ?)`,
    ),
  };
}

function fromRow(row: Record<string, unknown>): Transaction {
  return {
    grantId: row['grant_id'] as GrantId,
    roomId: row['room_id'] as RoomId,
    action: row['deed'] as string,
    txnId: row['txn_id'] as string,
    digest: row['digest'] as string,
    leaseId: row['lease_id'] as LeaseId,
    begunAt: row['begun_at'] as number,
    eventId: row['event_id'] as EventId | null,
  };
}
