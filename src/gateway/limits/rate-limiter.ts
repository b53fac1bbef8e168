import { LRUCache } from 'lru-cache';
import type { GrantId } from '../../domain/ids.ts';

/** How often each grant may do something: one limiter for each `RateClass`. */
export interface RateLimiter {
  /**
   * Takes one: 0, it may go; otherwise in how many milliseconds it may. A promise where it is kept in another
   * process.
   */
  take(grantId: GrantId): number | Promise<number>;
}

/** One that is kept here. */
export interface LocalRateLimiter extends RateLimiter {
  take(grantId: GrantId): number;
}

const MAX_KNOWN = 10_000;

/**
 * A bucket for each grant, below what the homeserver allows the subject: what a holder writes drains the
 * subject's own, and they could not write any more themselves.
 * @param perSecond how quickly it fills
 * @param burst how many may go at once
 */
export function tokenBucket(perSecond: number, burst: number, now: () => number): LocalRateLimiter {
  const buckets = new LRUCache<GrantId, { level: number; at: number }>({ max: MAX_KNOWN });
  return {
    take(grantId) {
      const at = now();
      const known = buckets.get(grantId);
      const filled =
        known === undefined
          ? burst
          : Math.min(burst, known.level + (Math.max(0, at - known.at) / 1_000) * perSecond);
      const may = filled >= 1;
      buckets.set(grantId, { level: may ? filled - 1 : filled, at });
      return may ? 0 : Math.ceil(((1 - filled) / perSecond) * 1_000);
    },
  };
}
