import { MintwardenError, unreachable } from '../../domain/errors.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import type { Access, AccessControl, TokenVerification } from './access-control.ts';
import { grantCache, type CachedGrant } from './grant-cache.ts';
import { upstreamTokens } from './upstream-tokens.ts';
import { useCounter } from './use-counter.ts';
import { endAutomatically } from '../revocation/end-grant.ts';
import { expiryTimer } from './expiry-timer.ts';
import { createTokenProofs } from './token-proofs.ts';
import { withLockdown } from './with-lockdown.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';

/** The access control of the bot's own process. */
export type LocalAccess = AccessControl & {
  /** The rooms in scope as last looked up; null: not known. Nothing is asked for it. */
  readonly remembered: (id: GrantId) => ReadonlySet<RoomId> | null;
  /** The homeserver is back, or accepts the issuer's token again: what failed may be retried at once. */
  readonly retryNow: () => void;
  readonly close: () => void;
};

/** A room that is excluded while a request is open closes for that request too. */
class CurrentAccess implements Access {
  readonly grant: Grant;
  readonly #entry: CachedGrant;

  constructor(entry: CachedGrant) {
    this.grant = entry.grant;
    this.#entry = entry;
  }

  get rooms(): Access['rooms'] {
    return this.#entry.rooms;
  }
}

/**
 * Answers the gateway from memory for grants that were seen before. A commit takes effect before it resolves,
 * and an expiry by the clock, recorded or not.
 */
export function createAccessControl(services: Services): LocalAccess {
  const entries = grantCache(services);
  const expiry = expiryTimer(services.clock, services.log);
  const leases = upstreamTokens(services, entries);
  const proofs = createTokenProofs();
  const uses = useCounter(services, entries);
  const isRevoked = (id: GrantId): boolean => services.pendingRevocations.has(id);
  const stopRevocations = services.pendingRevocations.onAdded((id) => expiry.revoked(id));
  const unsubscribe = services.ledger.onCommitted((change) => {
    entries.applyCommit(change);
    for (const grant of change.grants ?? []) {
      expiry.committed(grant);
      if (grant.state !== 'ended' && grant.state !== 'failed') continue;
      leases.forget(grant.id);
      uses.forget(grant.id);
    }
  });

  const refreshInBackground = (id: GrantId) => {
    entries
      .refresh(id)
      .catch((error: unknown) =>
        services.log.warn('joined rooms not refreshed', { grant: id, problem: problemOf(error) }),
      );
  };
  /** The homeserver is not asked for anything before the secret is proven. */
  const judge = (
    entry: CachedGrant | null,
    proves: (grant: Grant) => boolean,
  ): TokenVerification | Promise<TokenVerification> => {
    // An unknown grant and a wrong secret look the same from outside.
    if (entry === null || !proves(entry.grant)) return { kind: 'invalid', grantId: null };
    if (!entries.lacksRooms(entry)) return worth(entry);
    return entries
      .refresh(entry.grant.id)
      .then((fresh) => (fresh === null ? { kind: 'invalid', grantId: null } : worth(fresh)));
  };

  const worth = (entry: CachedGrant): TokenVerification => {
    const { grant } = entry;
    const now = isRevoked(grant.id) ? 'inactive' : effectiveState(grant, services.clock.now());
    switch (now) {
      case 'active':
        expiry.watch(grant);
        if (entries.isStale(entry)) refreshInBackground(grant.id);
        return { kind: 'valid', access: new CurrentAccess(entry) };
      case 'suspended':
        return { kind: 'suspended', grantId: grant.id };
      case 'inactive':
        return { kind: 'invalid', grantId: grant.id };
      default:
        return unreachable(now);
    }
  };

  const access: LocalAccess = {
    verifyToken: (token, connection) => {
      const read = proofs.read(token, connection);
      if (read === null) return { kind: 'invalid', grantId: null };
      const proves = (grant: Grant) => proofs.proves(token, read, grant, connection);
      const known = entries.known(read.grantId);
      return known === undefined
        ? entries.load(read.grantId).then((entry) => judge(entry, proves))
        : judge(known, proves);
    },
    upstreamToken: (id) => {
      if (isRevoked(id)) throw new MintwardenError('not-allowed', `Grant ${id} does not count.`);
      return leases.upstreamToken(id);
    },
    replaceUpstreamToken: async (id, leaseId) =>
      isRevoked(id) ? 'gone' : leases.replaceUpstreamToken(id, leaseId),
    refreshRooms: async (id, spokenOf) => {
      const entry = await entries.refresh(id, spokenOf);
      return entry !== null &&
        !isRevoked(id) &&
        effectiveState(entry.grant, services.clock.now()) === 'active'
        ? new CurrentAccess(entry)
        : null;
    },
    countUse: async (id) => !isRevoked(id) && uses.countUse(id),
    finishUse: uses.finishUse,
    usesLeft: uses.usesLeft,
    withdraw: async (id) => {
      await endAutomatically(services, id, 'withdrawn', 'holder');
    },
    onGrantInactive: expiry.onGrantInactive,
    remembered: (id) => {
      const entry = entries.known(id) ?? null;
      return entry === null || entries.lacksRooms(entry) ? null : entry.rooms;
    },
    retryNow: leases.retryNow,
    close: () => {
      unsubscribe();
      stopRevocations();
      expiry.close();
    },
  };
  return withLockdown(access, services.lockdown);
}
