import type { DatabaseSync } from 'node:sqlite';
import { chained } from '../../domain/audit.ts';
import type { Change, Committed } from '../../domain/change.ts';
import { auditText } from './rows/audit-row.ts';
import { grantColumns } from './rows/grant-row.ts';
import { leaseColumns } from './rows/lease-row.ts';
import { messageColumns } from './rows/message-row.ts';
import { versionedRows } from './versioned-rows.ts';

/** What came of a change, and whether a sealed secret was erased or replaced by it. */
export type Written = { readonly result: Committed; readonly erasedSecret: boolean };

/**
 * The one way into the ledger: a change in one transaction, whole or not at all.
 * @returns a function that throws errors of SQLite as they are, with nothing written
 */
export function changeWriter(db: DatabaseSync): (change: Change) => Written {
  const addCommand = db.prepare(
    'INSERT INTO commands (event_id, sender, session_id, message_index, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const putGrant = versionedRows(db, 'grants', 'sealed_token');
  const putLease = versionedRows(db, 'leases', 'sealed');
  const putMessage = versionedRows(db, 'messages', null);
  const putExcluded = db.prepare(
    `INSERT INTO excluded_rooms (room_id, why, user_id) VALUES (?, ?, ?)
     ON CONFLICT (room_id) DO UPDATE SET why = excluded.why, user_id = excluded.user_id`,
  );
  const addPin = db.prepare(
    'INSERT INTO pins (user_id, master_key, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const movePin = db.prepare('UPDATE pins SET master_key = ?, at = ? WHERE user_id = ? AND master_key = ?');
  const pinned = db.prepare('SELECT master_key FROM pins WHERE user_id = ?');
  const head = db.prepare('SELECT seq, hash FROM audit_head');
  const addAudit = db.prepare('INSERT INTO audit (seq, event, previous, hash) VALUES (?, ?, ?, ?)');
  const moveHead = db.prepare('UPDATE audit_head SET seq = ?, hash = ?');

  const appendAudit = (events: NonNullable<Change['audit']>) => {
    if (events.length === 0) return;
    const last = head.get();
    let seq = Number(last?.['seq']);
    let previous = String(last?.['hash']);
    for (const event of events) {
      const row = chained(event, ++seq, previous);
      addAudit.run(seq, auditText(event), previous, row.hash);
      previous = row.hash;
    }
    moveHead.run(seq, previous);
  };

  const write = (change: Change): Written => {
    let erasedSecret = false;
    if (change.command !== undefined) {
      const { eventId, sender, sessionId, messageIndex, at } = change.command;
      if (addCommand.run(eventId, sender, sessionId, messageIndex, at).changes === 0)
        return { result: 'seen', erasedSecret };
    }
    const rows = [
      ...(change.grants ?? []).map((grant) => () => putGrant(grantColumns(grant))),
      ...(change.leases ?? []).map((lease) => () => putLease(leaseColumns(lease))),
      ...(change.messages ?? []).map((message) => () => putMessage(messageColumns(message))),
    ];
    for (const put of rows) {
      const outcome = put();
      if (outcome === 'conflict') return { result: 'conflict', erasedSecret: false };
      if (outcome === 'erased') erasedSecret = true;
    }
    for (const { roomId, why, userId } of change.excluded ?? []) putExcluded.run(roomId, why, userId);
    for (const { userId, masterKey, at } of change.pins ?? []) {
      const isNew = addPin.run(userId, masterKey, at).changes > 0;
      if (!isNew && pinned.get(userId)?.['master_key'] !== masterKey)
        return { result: 'conflict', erasedSecret: false };
    }
    for (const { pin, before } of change.repins ?? []) {
      const { userId, masterKey, at } = pin;
      const moved =
        before === null ? addPin.run(userId, masterKey, at) : movePin.run(masterKey, at, userId, before);
      if (moved.changes === 0) return { result: 'conflict', erasedSecret: false };
    }
    appendAudit(change.audit ?? []);
    return { result: 'committed', erasedSecret };
  };

  return (change) => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const written = write(change);
      db.exec(written.result === 'committed' ? 'COMMIT' : 'ROLLBACK');
      return written;
    } finally {
      // A full disk can have rolled back by itself.
      if (db.isTransaction) db.exec('ROLLBACK');
    }
  };
}
