import type { AuditEvent } from '../../src/domain/audit.ts';
import type { CommandKey } from '../../src/domain/change.ts';
import type { Grant } from '../../src/domain/grant.ts';
import type { EventId, GrantId, LeaseId, MessageId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Lease } from '../../src/domain/lease.ts';
import type { Message } from '../../src/domain/message.ts';
import { buildGrant, buildLease, buildMessage } from '../support/grants.ts';

export const NOON = 1_800_000_000_000;
export const ALICE = '@alice:example.org' as UserId;
export const ADMIN = '@admin:example.org' as UserId;
export const OPS = '!ops' as RoomId;

/** A grant as it is first written, its words as awkward to store as words can be. */
export function sampleGrant(over: Omit<Partial<Grant>, 'id'> & { id: string }): Grant {
  return buildGrant({
    revision: 1,
    subject: ALICE,
    minter: ADMIN,
    recipient: ADMIN,
    scope: { v: 1, rooms: [OPS], can: ['read'] },
    rooms: [{ roomId: OPS, name: 'Ops "1" – ü\u0000', encrypted: true }],
    reason: 'ticket 12, it’s “fine”; DROP TABLE grants; --',
    createdAt: NOON,
    state: 'minting',
    tokenHash: `hash of ${over.id}`,
    ...over,
    id: over.id as GrantId,
  });
}

/** A lease as it is first written. */
export function sampleLease(over: Omit<Partial<Lease>, 'id'> & { id: string; grantId: GrantId }): Lease {
  return buildLease({ subject: ALICE, createdAt: NOON, ...over, id: over.id as LeaseId });
}

/** A message as it is first written. */
export function sampleMessage(
  over: Omit<Partial<Message>, 'id' | 'after'> & { id: string; after?: string | null },
): Message {
  return buildMessage({
    createdAt: NOON,
    ...over,
    id: over.id as MessageId,
    after: (over.after ?? null) as MessageId | null,
  });
}

/** An audit event. */
export function sampleAudit(over: Partial<AuditEvent> = {}): AuditEvent {
  return {
    at: NOON,
    actor: ADMIN,
    action: 'mint-requested',
    grantId: null,
    subject: ALICE,
    command: null,
    data: { ttlMs: 1, rooms: ['!a', '!b'], reason: 'a\ud800b\u0000', full: false, none: null },
    ...over,
  };
}

/** The key of a command that came encrypted. */
export function sampleCommand(
  eventId: string,
  sessionId: string | null = null,
  messageIndex: number | null = null,
): CommandKey {
  return { eventId: eventId as EventId, sender: ADMIN, sessionId, messageIndex, at: NOON };
}
