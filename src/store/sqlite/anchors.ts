import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { CHAIN_START } from '../../domain/audit.ts';
import type { EventId, LeaseId, MessageId } from '../../domain/ids.ts';
import type { AnchorStore } from '../../ports/anchors.ts';
import { idsOf } from './due.ts';
import { guarded, type Opened } from './ledger.ts';
import { undecodableRow } from './rows/decode.ts';

const anchor = z.strictObject({
  generation: z.number(),
  seq: z.number(),
  hash: z.string(),
  uses: z.number(),
  at: z.number(),
  live: z.number(),
});
const held = z.strictObject({
  why: z.enum(['older', 'other', 'cut']),
  anchor,
  seq: z.number(),
  foundAt: z.number(),
});
const posted = z.strictObject({
  anchor,
  roomId: z.string(),
  eventId: z.string().transform((id) => id as EventId),
});

/**
 * What the ledger knows of itself, over an opened database whose tables are of this version. Each call is one
 * transaction.
 */
export function createAnchorStore(opened: Opened): AnchorStore {
  const guard = guarded(opened);
  const statements = prepared(opened.db);
  const field = (name: string): unknown => statements.row.get()?.[name];
  const stored = <T>(name: string, schema: z.ZodType<T>): T | null => {
    const text = field(name);
    if (typeof text !== 'string') return null;
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw undecodableRow('anchorage', name, error);
    }
  };
  return {
    generation: () => guard(() => Number(field('generation'))),
    oldCopy: () => guard(() => stored('held', held)),
    markOldCopy: (copy) => guard(() => void statements.hold.run(JSON.stringify(copy))),
    beginGeneration: (generation) => guard(() => void statements.begin.run(generation)),
    posted: () => guard(() => stored('posted', posted)),
    recordPosted: (event) => guard(() => void statements.posted.run(JSON.stringify(event))),
    totalUses: () => guard(() => Number(statements.uses.get()?.['used'] ?? 0)),
    hashAt: (seq) =>
      guard(() => {
        const hash = statements.hash.get(seq)?.['hash'];
        return seq === 0 ? CHAIN_START : typeof hash === 'string' ? hash : null;
      }),
    keptLeases: (now) => guard(() => [...idsOf(statements.leases.iterate(now))] as LeaseId[]),
    messagesWaiting: () => guard(() => [...idsOf(statements.messages.iterate())] as MessageId[]),
    latestSeen: () => guard(() => Number(field('latest_seen'))),
    recordSeen: (at, overwrite) =>
      guard(
        () =>
          void (overwrite === 'overwrite' ? statements.overwriteSeen : statements.seen).run(Math.round(at)),
      ),
  };
}

function prepared(db: DatabaseSync) {
  return {
    row: db.prepare('SELECT generation, held, posted, latest_seen FROM anchorage'),
    hold: db.prepare('UPDATE anchorage SET held = ?'),
    begin: db.prepare('UPDATE anchorage SET generation = ?, held = NULL, posted = NULL'),
    posted: db.prepare('UPDATE anchorage SET posted = ?'),
    seen: db.prepare('UPDATE anchorage SET latest_seen = max(latest_seen, ?)'),
    overwriteSeen: db.prepare('UPDATE anchorage SET latest_seen = ?'),
    uses: db.prepare('SELECT sum(used) AS used FROM uses'),
    hash: db.prepare('SELECT hash FROM audit WHERE seq = ?'),
    leases: db.prepare(
      `SELECT id FROM leases WHERE state IN ('dead', 'killing', 'unkillable') AND sealed IS NOT NULL AND valid_until > ?`,
    ),
    messages: db.prepare(`SELECT id FROM messages WHERE state = 'waiting' ORDER BY created_at, n`),
  };
}
