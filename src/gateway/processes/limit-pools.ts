import type { GrantId } from '../../domain/ids.ts';

/** What is left of a limit of each grant. */
export type LimitPool = {
  /** Takes up to `count`. @returns how many it took */
  take(grantId: GrantId, count: number): number;
  /** Puts back what was taken and not needed. */
  give(grantId: GrantId, count: number): void;
  /** In how many milliseconds it is worth asking again, if nothing was left. */
  waitMs(grantId: GrantId): number;
};

const SLOT_WAIT_MS = 50;
const MAX_BUCKETS = 10_000;

/** Requests at the same time. @param most of one grant */
export function slotPool(most: number): LimitPool {
  const taken = new Map<GrantId, number>();
  return {
    take(grantId, count) {
      const before = taken.get(grantId) ?? 0;
      const got = Math.max(0, Math.min(count, most - before));
      if (got > 0) taken.set(grantId, before + got);
      return got;
    },
    give(grantId, count) {
      const left = (taken.get(grantId) ?? 0) - count;
      if (left > 0) taken.set(grantId, left);
      else taken.delete(grantId);
    },
    waitMs: () => SLOT_WAIT_MS,
  };
}

/**
 * Requests in a second: a token bucket for each grant.
 * @param perSecond how quickly it fills
 * @param burst how much it holds
 * @param now epoch milliseconds
 */
export function requestPool(perSecond: number, burst: number, now: () => number): LimitPool {
  const buckets = new Map<GrantId, { level: number; at: number }>();
  const filled = (grantId: GrantId): { level: number; at: number } => {
    const at = now();
    const known = buckets.get(grantId) ?? { level: burst, at };
    known.level = Math.min(burst, known.level + (Math.max(0, at - known.at) / 1_000) * perSecond);
    known.at = at;
    // The one that was used longest ago is forgotten first.
    buckets.delete(grantId);
    if (buckets.size >= MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? grantId);
    buckets.set(grantId, known);
    return known;
  };
  return {
    take(grantId, count) {
      const bucket = filled(grantId);
      const got = Math.max(0, Math.min(count, Math.floor(bucket.level)));
      bucket.level -= got;
      return got;
    },
    give(grantId, count) {
      const bucket = filled(grantId);
      bucket.level = Math.min(burst, bucket.level + count);
    },
    waitMs: (grantId) => Math.ceil((Math.max(0, 1 - filled(grantId).level) / perSecond) * 1_000),
  };
}
