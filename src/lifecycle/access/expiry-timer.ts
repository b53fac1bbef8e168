import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { problemOf } from '../problem.ts';

const LONGEST_SLEEP_MS = 500;

/**
 * Notifies listeners the moment a grant becomes inactive: by a commit, or by the clock, whether or not the
 * expiry is recorded yet. A wall clock that jumps is noticed within half a second.
 */
export function expiryTimer(clock: Clock, log: Log) {
  const listeners = new Set<(grantId: GrantId) => void>();
  const watched = new Map<GrantId, number>();
  let timer: NodeJS.Timeout | undefined;

  const tell = (id: GrantId) => {
    for (const listener of listeners) {
      try {
        listener(id);
      } catch (error) {
        log.error('listener of ended grants failed', { grant: id, problem: problemOf(error) });
      }
    }
  };
  const tick = () => {
    timer = undefined;
    const now = clock.now();
    for (const [id, expiresAt] of watched) {
      if (now < expiresAt) continue;
      watched.delete(id);
      tell(id);
    }
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    timer = undefined;
    if (watched.size === 0) return;
    const soonest = [...watched.values()].reduce((a, b) => Math.min(a, b));
    timer = setTimeout(tick, Math.max(1, Math.min(LONGEST_SLEEP_MS, soonest - clock.now())));
    timer.unref();
  };

  return {
    /** An active grant: listeners are notified when it expires. */
    watch: (grant: Grant): void => {
      if (watched.get(grant.id) === grant.expiresAt) return;
      watched.set(grant.id, grant.expiresAt);
      schedule();
    },
    /** A grant as it was just committed. */
    committed: (grant: Grant): void => {
      const now = effectiveState(grant, clock.now());
      if (now === 'inactive') watched.delete(grant.id);
      if (now !== 'active') tell(grant.id);
    },
    /** A grant that ended although its row says that it is live. */
    revoked: (id: GrantId): void => {
      watched.delete(id);
      tell(id);
    },
    onGrantInactive: (listener: (grantId: GrantId) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: (): void => {
      clearTimeout(timer);
      watched.clear();
      listeners.clear();
    },
  };
}
