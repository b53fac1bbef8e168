import { effectiveState } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import { usesLeft } from '../../domain/scope-checks.ts';
import { endAutomatically } from '../revocation/end-grant.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';
import type { GrantCache } from './grant-cache.ts';

/**
 * The uses of grants that are good for so many requests. The ledger counts: a use that was counted stays
 * counted, whatever becomes of the request or of this process. The end waits for the requests that were
 * counted and are under way, since it would cut them off.
 */
export function useCounter(services: Services, entries: GrantCache) {
  const underWay = new Map<GrantId, number>();
  const spent = new Set<GrantId>();

  const end = async (id: GrantId): Promise<void> => {
    if (!spent.has(id) || (underWay.get(id) ?? 0) > 0) return;
    spent.delete(id);
    try {
      await endAutomatically(services, id, 'used-up');
    } catch (error) {
      // It lets no request through in any case; the next one that is tried ends it.
      services.log.warn('grant without uses left not ended', { grant: id, problem: problemOf(error) });
    }
  };
  const less = (id: GrantId): void => {
    const left = (underWay.get(id) ?? 0) - 1;
    if (left > 0) underWay.set(id, left);
    else underWay.delete(id);
  };

  return {
    countUse: async (id: GrantId): Promise<boolean> => {
      const entry = entries.known(id) ?? (await entries.load(id));
      if (entry === null || effectiveState(entry.grant, services.clock.now()) !== 'active') return false;
      const most = entry.grant.scope.uses;
      underWay.set(id, (underWay.get(id) ?? 0) + 1);
      let used: number | null = null;
      try {
        used = most === undefined ? 0 : await services.ledger.use(id, most);
      } finally {
        if (used === null) less(id);
      }
      if (most !== undefined && (used === null || used >= most)) spent.add(id);
      if (used !== null) return true;
      await end(id);
      return false;
    },
    finishUse: async (id: GrantId): Promise<void> => {
      less(id);
      await end(id);
    },
    usesLeft: async (id: GrantId): Promise<number | null> => {
      const entry = entries.known(id) ?? (await entries.load(id));
      if (entry === null || entry.grant.scope.uses === undefined) return null;
      return usesLeft(entry.grant.scope, await services.ledger.uses(id));
    },
    /** The grant is over. */
    forget: (id: GrantId): void => {
      underWay.delete(id);
      spent.delete(id);
    },
  };
}
