import type { GrantId } from '../../domain/ids.ts';
/** A request that can be ended. */
export type Cuttable = {
  /** Its grant is no longer valid. */
  endByGrant(): void;
};

/** The requests that are being answered, by grant. */
export interface OpenRequests {
  /**
   * Counts a request in, or null where the grant has as many as it may. Call what comes back when its answer
   * was read.
   */
  enter(grantId: GrantId, request: Cuttable): (() => void) | null;
  /** Ends all requests of a grant that is over. */
  cut(grantId: GrantId): void;
  /** How often `cut` was called: whoever waited in between asks again. */
  readonly cuts: number;
}

/** @param most requests of one grant at the same time */
export function openRequests(most: number): OpenRequests {
  const open = new Map<GrantId, Set<Cuttable>>();
  let cuts = 0;
  return {
    enter(grantId, request) {
      const mine = open.get(grantId) ?? new Set();
      if (mine.size >= most) return null;
      mine.add(request);
      open.set(grantId, mine);
      return () => {
        mine.delete(request);
        if (mine.size === 0 && open.get(grantId) === mine) open.delete(grantId);
      };
    },
    cut(grantId) {
      cuts++;
      for (const request of open.get(grantId) ?? []) request.endByGrant();
    },
    get cuts() {
      return cuts;
    },
  };
}
