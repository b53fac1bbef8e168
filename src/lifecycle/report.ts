import { effectiveState, type Grant, type EffectiveState } from '../domain/grant.ts';
import type { UserId } from '../domain/ids.ts';
import type { Lease } from '../domain/lease.ts';
import type { Channel, Message } from '../domain/message.ts';
import type { GrantFilter, LedgerCounts } from '../ports/ledger.ts';
import { problemOf } from './problem.ts';
import type { Services } from './services.ts';

/**
 * How far the subject's notice got. `accepted`: by the homeserver; what came after could not be seen or has
 * not happened.
 */
type NoticeReach = 'none' | 'waiting' | 'abandoned' | 'accepted' | 'invited' | 'joined' | 'read';

/** Everything there is to show of one grant. No secret is in it: sealed copies are left out. */
export type GrantReport = {
  readonly grant: Grant;
  readonly effectiveState: EffectiveState;
  readonly leases: readonly Lease[];
  readonly messages: readonly Message[];
  readonly notice: {
    readonly reach: NoticeReach;
    readonly channel: Channel | null;
    readonly acceptedAt: number | null;
    readonly problem: string | null;
  };
  readonly delivery: {
    readonly state: Grant['delivery'];
    readonly acceptedAt: number | null;
    readonly giveUpAt: number | null;
    readonly redactAt: number | null;
    readonly redactedAt: number | null;
    readonly problem: string | null;
  };
};

/** One grant with its upstream tokens and messages, for `!show`. */
export async function show(services: Services, grant: Grant): Promise<GrantReport> {
  const [row, leases, messages] = await Promise.all([
    services.ledger.grant(grant.id),
    services.ledger.leases(grant.id),
    services.ledger.messages(grant.id),
  ]);
  const now = row ?? grant;
  const notice = messages.find(({ body }) => body.kind === 'notice') ?? null;
  const token = messages.find(({ body }) => body.kind === 'token') ?? null;
  return {
    grant: { ...now, sealedToken: null },
    effectiveState: effectiveState(now, services.clock.now()),
    leases: leases.map((lease) => ({ ...lease, sealed: null })),
    messages,
    notice: {
      reach: await reachOf(services, grant.subject, notice),
      channel: notice?.channel ?? null,
      acceptedAt: notice?.acceptedAt ?? null,
      problem: notice?.lastProblem ?? null,
    },
    delivery: {
      state: now.delivery,
      acceptedAt: token?.acceptedAt ?? null,
      giveUpAt: token?.state === 'waiting' ? token.giveUpAt : null,
      redactAt: token?.redactAt ?? null,
      redactedAt: token?.redactedAt ?? null,
      problem: token?.lastProblem ?? null,
    },
  };
}

async function reachOf(services: Services, subject: UserId, notice: Message | null): Promise<NoticeReach> {
  if (notice === null) return 'none';
  if (notice.state !== 'accepted') return notice.state;
  if (notice.roomId === null || notice.eventId === null) return 'accepted';
  try {
    const [dm, hasRead] = await Promise.all([
      services.chat.dm(subject),
      services.chat.hasRead(notice.roomId, notice.eventId, subject),
    ]);
    if (hasRead) return 'read';
    if (dm === null || dm.roomId !== notice.roomId) return 'accepted';
    return dm.membership === 'join' ? 'joined' : dm.membership === 'invite' ? 'invited' : 'accepted';
  } catch (error) {
    services.log.warn('reach of a notice unknown', { problem: problemOf(error) });
    return 'accepted';
  }
}

/** Grants newest first, without their sealed copies; by default those that are being made or live. */
export async function list(services: Services, filter: Partial<GrantFilter> = {}): Promise<readonly Grant[]> {
  const grants = await services.ledger.grants({ states: ['minting', 'live'], limit: 50, ...filter });
  return grants.map((grant) => ({ ...grant, sealedToken: null }));
}

/** The state of the whole, for `!status` and health. */
export type Status = {
  readonly counts: LedgerCounts;
  /** Rows that should have been seen to by now. */
  readonly due: number;
  /** Upstream tokens whose log-out is not confirmed yet, that may be alive unseen, or that were given up. */
  readonly killing: number;
  readonly orphans: number;
  readonly unkillable: number;
  readonly messagesWaiting: number;
};

/** Counts what is alive, what waits and what an admin should look at. */
export async function status(services: Services): Promise<Status> {
  const [counts, due] = await Promise.all([
    services.ledger.counts(),
    services.ledger.due(services.clock.now(), 1_000),
  ]);
  return {
    counts,
    due: due.grants.length + due.leases.length + due.messages.length,
    killing: counts.leases.killing,
    orphans: counts.leases.orphan,
    unkillable: counts.leases.unkillable,
    messagesWaiting: counts.messagesWaiting,
  };
}
