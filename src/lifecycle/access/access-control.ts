import type { Grant } from '../../domain/grant.ts';
import type { GrantId, LeaseId, RoomId } from '../../domain/ids.ts';

/** A valid token's grant, and what it opens at this moment. */
export type Access = {
  readonly grant: Grant;
  /** The rooms in scope, without excluded ones. The gateway asks this set and nothing else. */
  readonly rooms: ReadonlySet<RoomId>;
  /** The upstream token has its own device at the homeserver. No issuer creates one yet. */
  readonly device?: true;
};

/**
 * The result of verifying a token. `invalid` includes unknown tokens and those that are not ours: the holder
 * sees no difference.
 */
export type TokenVerification =
  | { readonly kind: 'valid'; readonly access: Access }
  | { readonly kind: 'suspended'; readonly grantId: GrantId }
  /** No token is accepted at the moment; see `Lockdown`. */
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
   * Looks up again which rooms are in scope (if the scope can grow); single flight, at most once a second.
   * @param spokenOf the rooms in question: if it is known for each whether it is in scope, nothing is asked;
   *   `again`: whatever is known, with a look that begins after this call
   */
  refreshRooms(grantId: GrantId, spokenOf?: readonly RoomId[] | 'again'): Promise<Access | null>;
  /**
   * Counts one more request of a grant with a limited number of uses, durably before it resolves. False: none
   * is left, or the grant is not active. After true the caller calls `finishUse` once, however the request
   * ends.
   * @throws MintwardenError `state` where it could not be counted: the request must not be carried out
   */
  countUse(grantId: GrantId): Promise<boolean>;
  /**
   * A counted request has finished. With the last of them, a grant without uses left ends as `used-up`.
   */
  finishUse(grantId: GrantId): Promise<void>;
  /**
   * How many uses a grant has left; null: they are not limited.
   * @throws MintwardenError `state`
   */
  usesLeft(grantId: GrantId): Promise<number | null>;
  /** The holder logged out: the grant ends as `withdrawn`. Resolves when that is durable. */
  withdraw(grantId: GrantId): Promise<void>;
  /**
   * Called the moment a grant is no longer active (ended, expired, suspended), to abort its open requests.
   * Returns an unsubscribe function.
   */
  onGrantInactive(listener: (grantId: GrantId) => void): () => void;
}
