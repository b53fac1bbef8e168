import { LRUCache } from 'lru-cache';
import type { GrantId } from '../../domain/ids.ts';

/** How often each grant may ask for anything. */
export interface RequestRate {
  /**
   * Counts one in and says 0; or says in how many milliseconds one may be asked, and counts nothing. A promise
   * where it is kept in another process.
   */
  take(grantId: GrantId): number | Promise<number>;
  /**
   * Counts a request that was let in for more than one, by its body: to read it takes the gateway's one
   * thread.
   */
  weigh(grantId: GrantId, bodyBytes: number): void;
}

/** One that is kept here. */
export interface LocalRequestRate extends RequestRate {
  take(grantId: GrantId): number;
}

const MAX_KNOWN = 10_000;
/** The body of one request that counts as one. What stock clients send is less. */
const BYTES_OF_ONE = 16_384;
/** Sums of fractions are not exact: a client that waited as long as it was told is let in. */
const ROUNDING_MS = 0.001;

/** How many requests a body counts as, besides the one that it came with. */
export function requestsWorth(bodyBytes: number): number {
  return Math.floor(bodyBytes / BYTES_OF_ONE);
}

/**
 * Keeps one grant from taking the gateway and the homeserver from the others. A leaky bucket as a meter
 * (GCRA, ITU-T I.371): one number for each grant, since every request pays for it.
 * @param perSecond in the long run
 * @param atOnce how many may come together after a rest
 */
export function requestRate(perSecond: number, atOnce: number, now: () => number): LocalRequestRate {
  const each = 1_000 / perSecond;
  const most = each * atOnce;
  /** When the bucket of a grant will have run dry. */
  const dryAt = new LRUCache<GrantId, { at: number }>({ max: MAX_KNOWN });
  return {
    take(grantId) {
      const at = now();
      const known = dryAt.get(grantId);
      if (known === undefined) {
        dryAt.set(grantId, { at: at + each });
        return 0;
      }
      // A clock that was set back must not shut anyone out for longer than a full bucket takes.
      known.at = Math.min(known.at, at + most);
      const next = Math.max(known.at, at) + each;
      const overMs = next - at - most;
      if (overMs > ROUNDING_MS) return Math.ceil(overMs);
      known.at = next;
      return 0;
    },
    weigh(grantId, bodyBytes) {
      const known = dryAt.get(grantId);
      if (known !== undefined) known.at += each * requestsWorth(bodyBytes);
    },
  };
}
