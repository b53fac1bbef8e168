import type { GrantId } from '../../domain/ids.ts';

/** How many requests of a grant may be open at the same time. */
export interface GrantSlots {
  /**
   * 0: one is taken, until it is released; otherwise in how many milliseconds to try again. A promise where
   * they are kept in another process.
   */
  take(grantId: GrantId): number | Promise<number>;
  release(grantId: GrantId): void;
}

const RETRY_MS = 1_000;

/** Slots that are kept here. @param most of one grant */
export function grantSlots(most: number): GrantSlots {
  const taken = new Map<GrantId, number>();
  return {
    take(grantId) {
      const before = taken.get(grantId) ?? 0;
      if (before >= most) return RETRY_MS;
      taken.set(grantId, before + 1);
      return 0;
    },
    release(grantId) {
      const left = (taken.get(grantId) ?? 0) - 1;
      if (left > 0) taken.set(grantId, left);
      else taken.delete(grantId);
    },
  };
}
