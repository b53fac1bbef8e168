import { standing, type Grant } from '../domain/grant.ts';
import type { GrantReport, Status } from '../lifecycle/report.ts';
import type { AnswerData } from './command.ts';

/* What programs read (docs/exec.md): only ever added to. Moments are ISO 8601 in UTC. No secret is in any of it. */

function moment(at: number): string;
function moment(at: number | null): string | null;
function moment(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/**
 * What a grant is at this moment, in one word. A row that nobody has tended yet is no longer live when its
 * time is over.
 */
function stateOf(grant: Grant, now: number): string {
  if (grant.state !== 'live') return grant.state;
  const stands = standing(grant, now);
  return stands === 'good' ? 'live' : stands === 'over' ? 'ended' : 'suspended';
}

/** A grant. */
export function grantData(grant: Grant, now: number): AnswerData {
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
    createdAt: moment(grant.createdAt),
    expiresAt: moment(grant.expiresAt),
    delivery: grant.delivery,
    endedAt: moment(grant.endedAt),
    endedBy: grant.endedBy,
    endCause: grant.endCause,
    failure: grant.failure,
  };
}

/** All there is to know of a grant. */
export function reportData({ grant, notice, delivery, leases }: GrantReport, now: number): AnswerData {
  return {
    grant: grantData(grant, now),
    notice: {
      reach: notice.reach,
      channel: notice.channel,
      acceptedAt: moment(notice.acceptedAt),
      problem: notice.problem,
    },
    delivery: {
      state: delivery.state,
      acceptedAt: moment(delivery.acceptedAt),
      giveUpAt: moment(delivery.giveUpAt),
      redactedAt: moment(delivery.redactedAt),
      problem: delivery.problem,
    },
    upstream: leases.map(({ state, createdAt, validUntil }) => ({
      state,
      createdAt: moment(createdAt),
      validUntil: moment(validUntil),
    })),
  };
}

/** The counts of `status`. */
export function statusData({ counts, messagesWaiting, killing, orphans, unkillable }: Status): AnswerData {
  return {
    live: counts.live,
    grantsEver: counts.grantsEver,
    messagesWaiting,
    upstream: { killing, orphans, unkillable },
    audit: { rows: counts.auditRows, head: counts.auditHead },
  };
}
