import { effectiveState, type Grant } from '../domain/grant.ts';
import type { GrantReport, Status } from '../lifecycle/report.ts';
import type { ReplyData } from './command.ts';

/* What programs read (docs/exec.md): only ever added to. Moments are ISO 8601 in UTC. No secret is in any of it. */

function isoTime(at: number): string;
function isoTime(at: number | null): string | null;
function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/**
 * What a grant is at this moment, in one word. A row that was not processed yet is no longer live once its
 * time is over.
 */
function stateOf(grant: Grant, now: number): string {
  if (grant.state !== 'live') return grant.state;
  const stands = effectiveState(grant, now);
  return stands === 'active' ? 'live' : stands === 'inactive' ? 'ended' : 'suspended';
}

/** A grant. */
export function grantData(grant: Grant, now: number): ReplyData {
  const { v: _, ...scope } = grant.scope;
  return {
    id: grant.id,
    state: stateOf(grant, now),
    subject: grant.subject,
    minter: grant.minter,
    recipient: grant.recipient,
    scope,
    rooms: grant.rooms.map(({ roomId, name, encrypted }) => ({ id: roomId, name, encrypted })),
    reason: grant.reason,
    createdAt: isoTime(grant.createdAt),
    expiresAt: isoTime(grant.expiresAt),
    delivery: grant.delivery,
    endedAt: isoTime(grant.endedAt),
    endedBy: grant.endedBy,
    endCause: grant.endCause,
    failure: grant.failure,
  };
}

/** All there is to know of a grant. */
export function reportData({ grant, notice, delivery, leases }: GrantReport, now: number): ReplyData {
  return {
    grant: grantData(grant, now),
    notice: {
      reach: notice.reach,
      channel: notice.channel,
      acceptedAt: isoTime(notice.acceptedAt),
      problem: notice.problem,
    },
    delivery: {
      state: delivery.state,
      acceptedAt: isoTime(delivery.acceptedAt),
      giveUpAt: isoTime(delivery.giveUpAt),
      redactedAt: isoTime(delivery.redactedAt),
      problem: delivery.problem,
    },
    upstream: leases.map(({ state, createdAt, validUntil }) => ({
      state,
      createdAt: isoTime(createdAt),
      validUntil: isoTime(validUntil),
    })),
  };
}

/** The counts of `status`. */
export function statusData({ counts, messagesWaiting, killing, orphans, unkillable }: Status): ReplyData {
  return {
    live: counts.live,
    grantsEver: counts.grantsEver,
    messagesWaiting,
    upstream: { killing, orphans, unkillable },
    audit: { rows: counts.auditRows, head: counts.auditHead },
  };
}
