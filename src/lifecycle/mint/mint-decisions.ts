import { type Change, type CommandKey, eventOf } from '../../domain/change.ts';
import { markFailed, markLive, type Grant } from '../../domain/grant.ts';
import { isOperator } from '../../domain/ids.ts';
import type { Lease } from '../../domain/lease.ts';
import type { MessageBody } from '../../domain/message.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { aliveLease, orphanLease, refusedLease } from '../rows/lease-row.ts';
import { newMessage } from '../rows/message-row.ts';
import type { NewIds } from '../rows/new-id.ts';

/** The grant and its first lease, written before the homeserver is asked. */
export function decideRequested(grant: Grant, lease: Lease, command: CommandKey | null): Change {
  const { rooms, can } = grant.scope;
  const data = {
    recipient: grant.recipient,
    rooms: rooms === 'all' ? 'all' : rooms,
    can,
    reason: grant.reason,
    ttlMs: grant.ttlMs,
    expiresAt: grant.expiresAt,
    lease: lease.id,
    leaseUntil: lease.validUntil,
  };
  return {
    at: grant.createdAt,
    ...(command === null ? {} : { command }),
    grants: [grant],
    leases: [lease],
    audit: [
      grantAudit(grant, 'mint-requested', grant.minter, grant.createdAt, data, command?.eventId ?? null),
    ],
  };
}

/**
 * The homeserver made the token: the grant is live, and everyone is told, the subject before the token goes
 * out.
 */
export function decideMinted(
  grant: Grant,
  lease: Lease,
  made: { readonly sealed: string; readonly recipientJoined: boolean; readonly deliverWithinMs: number },
  now: number,
  ids: NewIds,
): Change {
  const giveUpAt = Math.min(now + made.deliverWithinMs, grant.expiresAt);
  const base = { grantId: grant.id, at: now };
  const minted = newMessage({
    ...base,
    id: ids.message(),
    to: { kind: 'control', replyTo: eventOf(grant.command) },
    body: { kind: 'minted', recipientJoined: made.recipientJoined },
  });
  const notice = newMessage({
    ...base,
    id: ids.message(),
    to: { kind: 'dm', userId: grant.subject, replyTo: null },
    body: { kind: 'notice' },
    giveUpAt,
  });
  const { recipient } = grant;
  const byHand = isOperator(recipient);
  const token = newMessage({
    ...base,
    id: ids.message(),
    to: byHand ? { kind: 'operator', replyTo: null } : { kind: 'dm', userId: recipient, replyTo: null },
    body: { kind: 'token' },
    after: notice.id,
    giveUpAt,
  });
  return {
    at: now,
    grants: [markLive(grant)],
    leases: [aliveLease(lease, made.sealed)],
    // What is handed over by hand is not sent: the row is only looked at when nobody took it.
    messages: [minted, notice, byHand ? { ...token, nextActionAt: giveUpAt } : token],
    audit: [grantAudit(grant, 'minted', 'system', now, { lease: lease.id, leaseUntil: lease.validUntil })],
  };
}

/** What a mint that came to nothing tells. */
export type MintFailure = {
  readonly sentence: string;
  readonly next: string | null;
  /** True where the homeserver may have made a token that we never saw. */
  readonly mayExist: boolean;
  readonly problem: string;
};

/** Nothing was made, or nothing that we know of. */
export function decideMintFailed(
  grant: Grant,
  lease: Lease | null,
  failure: MintFailure,
  now: number,
  ids: NewIds,
): Change {
  const open = lease !== null && lease.state === 'asking' ? lease : null;
  const orphanUntil = open !== null && failure.mayExist ? open.validUntil : null;
  const body: MessageBody = {
    kind: 'mint-failed',
    sentence: failure.sentence,
    next: failure.next,
    orphanUntil,
  };
  const after =
    open === null
      ? null
      : failure.mayExist
        ? orphanLease(open, failure.problem)
        : refusedLease(open, failure.problem);
  return {
    at: now,
    grants: [markFailed(grant, failure.sentence, now)],
    ...(after === null ? {} : { leases: [after] }),
    messages: [
      newMessage({
        id: ids.message(),
        grantId: grant.id,
        to: { kind: 'control', replyTo: eventOf(grant.command) },
        body,
        at: now,
      }),
    ],
    audit: [
      grantAudit(grant, 'mint-failed', 'system', now, { problem: failure.problem }),
      ...(after === null
        ? []
        : [
            grantAudit(grant, orphanUntil === null ? 'lease-failed' : 'lease-orphaned', 'system', now, {
              lease: after.id,
              until: after.validUntil,
            }),
          ]),
    ],
  };
}
