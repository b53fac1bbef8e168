import { unreachable } from './errors.ts';
import type { Actor, EventId, GrantId, Operator, RoomId, UserId } from './ids.ts';
import type { Scope } from './scope.ts';

/** Why a grant ended. */
export type EndCause =
  | 'expired'
  | 'revoked'
  | 'withdrawn' // by its holder, who logged out
  | 'used-up' // all the requests it was good for were made
  | 'ended-by-subject'
  | 'undelivered' // nobody took the token in time
  | 'untold' // the subject could not be told in time
  | 'subject-gone' // deactivated or deleted
  | 'no-longer-allowed' // policy allows no tokens for the subject any more
  | 'lost-upstream'
  | 'old-copy'; // an old copy of the ledger was gone on from, and does not say whether the grant was ended since

/** What was known of a room when the grant was made, for the sentences people read. */
export type RoomFacts = {
  readonly roomId: RoomId;
  readonly name: string | null;
  readonly encrypted: boolean;
};

/** What happens to the scoped token on its way to the recipient. */
export type Delivery = 'waiting' | 'sent' | 'cancelled';

/**
 * The ledger's record of one permission. `minting` until the homeserver has made the first upstream
 * token; `live` while the gateway honours it; `ended` and `failed` are final.
 */
export type Grant = {
  readonly id: GrantId;
  /** 1 when first written, one more with each change: a writer that saw an older one is refused. */
  readonly revision: number;
  readonly subject: UserId;
  readonly minter: Actor;
  /** Who gets the token: by encrypted direct message, or, an operator, into a file. */
  readonly recipient: UserId | Operator;
  readonly scope: Scope;
  readonly rooms: readonly RoomFacts[];
  readonly reason: string | null;
  readonly ttlMs: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: 'minting' | 'live' | 'ended' | 'failed';
  /** The subject is locked: the token is refused until they are unlocked. */
  readonly suspended: boolean;
  readonly endedAt: number | null;
  readonly endedBy: Actor | null;
  readonly endCause: EndCause | null;
  /** One plain sentence for a mint that failed. Never a secret. */
  readonly failure: string | null;
  /** SHA-256 of the scoped token, in hex. */
  readonly tokenHash: string;
  /** The scoped token, sealed, until its delivery is confirmed or the grant is over; then null. */
  readonly sealedToken: string | null;
  readonly delivery: Delivery;
  /** The command this grant came from: an event, or the id of an operator's request (see `eventOf`). */
  readonly command: EventId | null;
  /** When the reaper next has to look at this row; null: never. */
  readonly nextActionAt: number | null;
};

/** Whether a scoped token of this grant is good at this moment, and if not, in which of the ways. */
export type EffectiveState = 'active' | 'suspended' | 'inactive';

/**
 * The one place that says whether a grant counts. A clock that reads past the expiry ends it, whatever the
 * row says.
 */
export function effectiveState(grant: Grant, now: number): EffectiveState {
  switch (grant.state) {
    case 'live':
      if (now >= grant.expiresAt) return 'inactive';
      return grant.suspended ? 'suspended' : 'active';
    case 'minting':
    case 'ended':
    case 'failed':
      return 'inactive';
    default:
      return unreachable(grant.state);
  }
}

/** The homeserver has made the upstream token: the grant counts from now. */
export function markLive(grant: Grant): Grant {
  return { ...grant, revision: grant.revision + 1, state: 'live', nextActionAt: grant.expiresAt };
}

/** The mint came to nothing. The sealed token goes with it: nobody was given it. */
export function markFailed(grant: Grant, sentence: string, now: number): Grant {
  return {
    ...grant,
    revision: grant.revision + 1,
    state: 'failed',
    failure: sentence,
    endedAt: now,
    sealedToken: null,
    delivery: 'cancelled',
    nextActionAt: null,
  };
}

/** The grant is over. Final: a second ending of any cause changes nothing, and is refused by the caller. */
export function markEnded(grant: Grant, cause: EndCause, by: Actor, now: number): Grant {
  return {
    ...grant,
    revision: grant.revision + 1,
    state: 'ended',
    endedAt: now,
    endedBy: by,
    endCause: cause,
    sealedToken: null,
    delivery: grant.delivery === 'sent' ? 'sent' : 'cancelled',
    nextActionAt: null,
  };
}

/** The recipient's message with the token was accepted by the homeserver: our copy is erased. */
export function markDelivered(grant: Grant): Grant {
  return { ...grant, revision: grant.revision + 1, delivery: 'sent', sealedToken: null };
}

/** The subject was locked or unlocked. */
export function markSuspended(grant: Grant, isSuspended: boolean): Grant {
  return { ...grant, revision: grant.revision + 1, suspended: isSuspended };
}
