import type { Grant } from '../../domain/grant.ts';
import type { GrantId, LeaseId, RoomId } from '../../domain/ids.ts';

/** A token that is good, and what it opens at this moment. */
export type Access = {
  readonly grant: Grant;
  /** The rooms in scope, none of them outside every scope. The gateway asks this set and nothing else. */
  readonly rooms: ReadonlySet<RoomId>;
  /** The upstream token has a device of its own at the homeserver. No issuer gives one yet. */
  readonly device?: true;
};

/**
 * What a presented token is worth. `over` also stands for unknown and not ours: the holder is told the same.
 */
export type TokenVerification =
  | { readonly kind: 'valid'; readonly access: Access }
  | { readonly kind: 'suspended'; readonly grantId: GrantId }
  /** Nothing is honoured just now, whatever it is worth; see `Lockdown`. */
  | { readonly kind: 'locked-down'; readonly grantId: null }
  | { readonly kind: 'invalid'; readonly grantId: GrantId | null };

/**
 * An upstream token to use for one request. It must not be kept beyond that, logged or sent anywhere else.
 */
export type UpstreamToken = { readonly leaseId: LeaseId; readonly token: string };

/** What the gateway asks of the lifecycle. */
export interface AccessControl {
  /**
   * Verifies a presented token. Returns at once (no promise) if its grant is known already.
   * @param connection what the request came by, so that its proof is remembered for the next one; everything
   *   else (revoked, expired, suspended, another hash) is checked each time
   */
  verifyToken(token: string, connection?: object): TokenVerification | Promise<TokenVerification>;
  /**
   * The upstream token of a grant, renewed first if its lease is about to end.
   * @throws MintwardenError `homeserver-unreachable` | `homeserver-refused`: a 503 for the holder
   */
  upstreamToken(grantId: GrantId): UpstreamToken | Promise<UpstreamToken>;
  /**
   * The homeserver no longer knows the upstream token: the subject is looked up and one new lease made.
   * `gone`: the grant has ended with it; `unavailable`: a 503 for the holder.
   */
  replaceUpstreamToken(grantId: GrantId, leaseId: LeaseId): Promise<UpstreamToken | 'gone' | 'unavailable'>;
  /**
   * Looks anew which rooms are in scope (for a scope that can grow), single flight and at most once a second.
   * @param spokenOf why: where it is known of all these rooms whether they are in scope, nothing is looked at
   */
  refreshRooms(grantId: GrantId, spokenOf?: readonly RoomId[]): Promise<Access | null>;
  /**
   * Counts one more request of a grant that is good for so many. When it resolves that is durable, and the
   * request may be carried out. False: none is left, or the grant does not count. Whoever is told true says
   * `useOver` once, whatever becomes of the request.
   * @throws MintwardenError `state` where it could not be counted: the request must not be carried out
   */
  countUse(grantId: GrantId): Promise<boolean>;
  /**
   * A request that was counted is over. With the last of them a grant that has no uses left ends as
   * `used-up`.
   */
  finishUse(grantId: GrantId): Promise<void>;
  /**
   * How many more requests a grant is good for, by what was counted; null: they are not counted.
   * @throws MintwardenError `state`
   */
  usesLeft(grantId: GrantId): Promise<number | null>;
  /** The holder logged out: the grant ends as `withdrawn`. Resolves when that is durable. */
  withdraw(grantId: GrantId): Promise<void>;
  /**
   * Called the moment a grant no longer counts (ended, expired, suspended), to cut what is open. Returns the
   * way to stop.
   */
  onGrantInactive(listener: (grantId: GrantId) => void): () => void;
}
