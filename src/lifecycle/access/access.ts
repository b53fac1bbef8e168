import { timingSafeEqual } from 'node:crypto';
import { MintwardenError, unreachable } from '../../domain/errors.ts';
import { standing } from '../../domain/grant.ts';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import { grantOfToken, hashToken } from '../../domain/token.ts';
import type { Access, AccessControl, Presented } from './access-control.ts';
import { accessEntries, type Entry } from './access-entries.ts';
import { accessUpstream } from './access-upstream.ts';
import { accessUses } from './access-uses.ts';
import { endUnasked } from '../revocation/end-grant.ts';
import { overWatch } from './expiry-timer.ts';
import { problemOf } from '../problem.ts';
import type { World } from '../services.ts';

function sameHash(stored: string, presented: string): boolean {
  const a = Buffer.from(stored, 'hex');
  const b = Buffer.from(presented, 'hex');
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
}

/**
 * What the gateway asks, answered from memory wherever the grant was seen before. A commit of this process
 * counts before it resolves; an expiry counts by the clock, whoever has written it down.
 */
export function createAccessControl(world: World): AccessControl & {
  /** The rooms in scope as they were last looked up; null: they are not known. Asks nobody. */
  readonly remembered: (id: GrantId) => ReadonlySet<RoomId> | null;
  /** The homeserver is back, or takes the issuer's word again: what failed may be tried at once. */
  readonly retryNow: () => void;
  readonly close: () => void;
} {
  const entries = accessEntries(world);
  const over = overWatch(world.clock, world.log);
  const leases = accessUpstream(world, entries);
  const uses = accessUses(world, entries);
  const isRefused = (id: GrantId): boolean => world.refused?.has(id) === true;
  const stopRefused = world.refused?.onAdded((id) => over.refused(id));
  const unsubscribe = world.ledger.onCommitted((change) => {
    entries.note(change);
    for (const grant of change.grants ?? []) {
      over.committed(grant);
      if (grant.state !== 'ended' && grant.state !== 'failed') continue;
      leases.forget(grant.id);
      uses.forget(grant.id);
    }
  });

  const refreshInBackground = (id: GrantId) => {
    entries
      .refresh(id)
      .catch((error: unknown) =>
        world.log.warn('joined rooms not refreshed', { grant: id, problem: problemOf(error) }),
      );
  };
  // A room that is excluded while a request is open is closed to that request too.
  const accessTo = (entry: Entry): Access => ({
    grant: entry.grant,
    get rooms() {
      return entry.rooms;
    },
  });

  /** The homeserver is asked for nothing before the secret is proven. */
  const judge = (entry: Entry | null, token: string): Presented | Promise<Presented> => {
    // An unknown grant and a wrong secret are the same to whoever presents them.
    if (entry === null || !sameHash(entry.grant.tokenHash, hashToken(token)))
      return { kind: 'over', grantId: null };
    if (!entries.lacksRooms(entry)) return worth(entry);
    return entries
      .refresh(entry.grant.id)
      .then((fresh) => (fresh === null ? { kind: 'over', grantId: null } : worth(fresh)));
  };

  const worth = (entry: Entry): Presented => {
    const { grant } = entry;
    const now = isRefused(grant.id) ? 'over' : standing(grant, world.clock.now());
    switch (now) {
      case 'good':
        over.watch(grant);
        if (entries.isStale(entry)) refreshInBackground(grant.id);
        return { kind: 'good', access: accessTo(entry) };
      case 'suspended':
        return { kind: 'suspended', grantId: grant.id };
      case 'over':
        return { kind: 'over', grantId: grant.id };
      default:
        return unreachable(now);
    }
  };

  return {
    present: (token) => {
      const id = grantOfToken(token);
      if (id === null) return { kind: 'over', grantId: null };
      const known = entries.known(id);
      return known === undefined
        ? entries.load(id).then((entry) => judge(entry, token))
        : judge(known, token);
    },
    upstream: (id) => {
      if (isRefused(id)) throw new MintwardenError('not-allowed', `Grant ${id} does not count.`);
      return leases.upstream(id);
    },
    upstreamRefused: async (id, leaseId) => (isRefused(id) ? 'gone' : leases.upstreamRefused(id, leaseId)),
    refresh: async (id, spokenOf) => {
      const entry = await entries.refresh(id, spokenOf);
      return entry !== null && !isRefused(id) && standing(entry.grant, world.clock.now()) === 'good'
        ? accessTo(entry)
        : null;
    },
    use: async (id) => !isRefused(id) && uses.use(id),
    useOver: uses.useOver,
    usesLeft: uses.usesLeft,
    withdraw: async (id) => {
      await endUnasked(world, id, 'withdrawn', 'holder');
    },
    onOver: over.onOver,
    remembered: (id) => {
      const entry = entries.known(id) ?? null;
      return entry === null || entries.lacksRooms(entry) ? null : entry.rooms;
    },
    retryNow: leases.retryNow,
    close: () => {
      unsubscribe();
      stopRefused?.();
      over.close();
    },
  };
}
