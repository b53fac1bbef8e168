import { MintwardenError } from '../../domain/errors.ts';
import { effectiveState } from '../../domain/grant.ts';
import type { GrantId, LeaseId } from '../../domain/ids.ts';
import type { UpstreamToken } from './access-control.ts';
import type { GrantCache, CachedGrant } from './grant-cache.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { aliveMessage } from '../leases/kill-lease.ts';
import { killingLease } from '../rows/lease-row.ts';
import { newIds } from '../rows/new-id.ts';
import { pace } from './keyed-backoff.ts';
import { problemOf } from '../problem.ts';
import { needsRenewal, renewLease } from './renew-lease.ts';
import { leaseRow } from '../rows/sealed-row.ts';
import type { CachedUpstreamToken } from './cached-upstream-token.ts';
import { singleFlight } from '../single-flight.ts';
import { recordSubject } from '../subjects/watch-subjects.ts';
import type { Services } from '../services.ts';

/** Each try may leave a token at the homeserver that nobody has, and a message in the control room. */
const AFTER_FAILURE_MS = [5_000, 300_000] as const;
const EARLY_DEATHS_APART_MS = [10_000, 3_600_000] as const;
const LAST_RESORT_MS = 2_000;

/**
 * UpstreamToken tokens for live grants: from memory, from the ledger, or new ones. One look-up per grant at a
 * time.
 */
export function upstreamTokens(services: Services, entries: GrantCache) {
  const obtaining = singleFlight<UpstreamToken>();
  const refusing = singleFlight<UpstreamToken | 'gone' | 'unavailable'>();
  const failures = pace(...AFTER_FAILURE_MS);
  const deaths = pace(...EARLY_DEATHS_APART_MS);
  const lookUps = pace(...AFTER_FAILURE_MS);

  const goodEntry = (entry: CachedGrant | null | undefined, id: GrantId): CachedGrant => {
    if (
      entry !== null &&
      entry !== undefined &&
      effectiveState(entry.grant, services.clock.now()) === 'active'
    )
      return entry;
    throw new MintwardenError('not-allowed', `Grant ${id} does not count.`);
  };

  const fromLedger = async (entry: CachedGrant): Promise<CachedUpstreamToken | null> => {
    const leases = await services.ledger.leases(entry.grant.id);
    const now = services.clock.now();
    const alive = leases.filter(
      (lease) => lease.state === 'alive' && lease.sealed !== null && now < lease.validUntil,
    );
    const best = alive.toSorted((a, b) => b.validUntil - a.validUntil)[0];
    if (best === undefined || best.sealed === null) return null;
    return {
      leaseId: best.id,
      token: services.sealer.open(leaseRow(best.id), best.sealed),
      createdAt: best.createdAt,
      validUntil: best.validUntil,
    };
  };

  const keep = (entry: CachedGrant, copy: CachedUpstreamToken): CachedUpstreamToken => {
    goodEntry(entry, entry.grant.id);
    // An entry evicted from the cache no longer learns of commits.
    if (entries.known(entry.grant.id) !== entry)
      throw new MintwardenError('homeserver-unreachable', 'Too much at once.', 'Try again.');
    entry.upstream = copy;
    return copy;
  };

  const renew = async (entry: CachedGrant): Promise<CachedUpstreamToken> => {
    const { id } = entry.grant;
    try {
      const { leaseId, token, lease } = await renewLease(services, id);
      failures.forget(id);
      return keep(entry, { leaseId, token, createdAt: lease.createdAt, validUntil: lease.validUntil });
    } catch (error) {
      failures.failed(id, services.clock.now());
      throw error;
    }
  };

  const obtain = async (id: GrantId): Promise<UpstreamToken> => {
    const entry = goodEntry(entries.known(id) ?? (await entries.load(id)), id);
    const stored = entry.upstream ?? (await fromLedger(entry));
    const now = services.clock.now();
    if (stored !== null && !needsRenewal(stored, entry.grant, now)) return keep(entry, stored);
    const usable = stored !== null && now + LAST_RESORT_MS < stored.validUntil ? stored : null;
    if (!failures.mayTry(id, now)) {
      if (usable !== null) return keep(entry, usable);
      throw new MintwardenError(
        'homeserver-unreachable',
        'No upstream token could be had a moment ago.',
        'Try again later.',
      );
    }
    try {
      return await renew(entry);
    } catch (error) {
      if (usable === null || effectiveState(entry.grant, services.clock.now()) !== 'active') throw error;
      services.log.warn('lease not renewed, the old one is used on', {
        grant: id,
        problem: problemOf(error),
      });
      return keep(entry, usable);
    }
  };

  /**
   * Notes that the homeserver says it no longer knows a token it had promised to know for longer. It is
   * logged out nevertheless: one response that denies it is no proof that it is dead.
   */
  const noteEarlyDeath = (id: GrantId, leaseId: LeaseId) =>
    decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
      const [grant, lease] = await Promise.all([services.ledger.grant(id), services.ledger.lease(leaseId)]);
      const now = services.clock.now();
      if (grant === null || lease === null || lease.grantId !== id || lease.state !== 'alive')
        return { change: null, value: null };
      const early = now < lease.validUntil;
      return {
        change: {
          at: now,
          leases: [killingLease(lease, now)],
          messages: early ? [aliveMessage(lease, 'died-early', now, newIds(services.random))] : [],
          audit: [grantAudit(grant, 'lease-failed', 'system', now, { lease: lease.id, byHomeserver: true })],
        },
        value: null,
      };
    });

  const refused = async (id: GrantId, leaseId: LeaseId): Promise<UpstreamToken | 'gone' | 'unavailable'> => {
    const entry = entries.known(id) ?? (await entries.load(id));
    if (entry === null || effectiveState(entry.grant, services.clock.now()) === 'inactive') return 'gone';
    try {
      const other = entry.upstream ?? (await fromLedger(entry));
      if (other !== null && other.leaseId !== leaseId) return keep(entry, other);
      const now = services.clock.now();
      if (!deaths.mayTry(id, now) || !failures.mayTry(id, now) || !lookUps.mayTry(id, now))
        return 'unavailable';
      // Only where the subject could be looked up is it the token that died, and not the issuer or the
      // homeserver.
      lookUps.failed(id, now);
      const facts = await services.directory.subject(entry.grant.subject);
      lookUps.forget(id);
      deaths.failed(id, now);
      const seen = await recordSubject(services, entry.grant, facts);
      if (seen.state !== 'live') return 'gone';
      if (seen.suspended) return 'unavailable';
      await noteEarlyDeath(id, leaseId);
      entry.upstream = null;
      return await renew(entry);
    } catch (error) {
      services.log.warn('no new lease for one that was refused', { grant: id, problem: problemOf(error) });
      return 'unavailable';
    }
  };

  return {
    upstreamToken: (id: GrantId): UpstreamToken | Promise<UpstreamToken> => {
      const entry = entries.known(id);
      const copy = entry?.upstream;
      const now = services.clock.now();
      if (
        entry &&
        copy &&
        effectiveState(entry.grant, now) === 'active' &&
        !needsRenewal(copy, entry.grant, now)
      )
        return copy;
      return obtaining(id, () => obtain(id));
    },
    replaceUpstreamToken: (id: GrantId, leaseId: LeaseId) => refusing(id, () => refused(id, leaseId)),
    /** What failed may be retried at once. */
    retryNow: (): void => {
      failures.forgetAll();
      lookUps.forgetAll();
    },
    /** Forgets a grant that has ended. */
    forget: (id: GrantId): void => {
      failures.forget(id);
      deaths.forget(id);
      lookUps.forget(id);
    },
  };
}
