import type { GrantId } from '../../domain/ids.ts';

/** The reason a request of a grant that is over is aborted with. */
export const OVER: Error = Object.freeze(new Error('the grant is over'));

/** The requests that are being answered, by grant. */
export interface OpenRequests {
  /** Counts a request in, or null where the grant has as many as it may. Call what comes back when its answer was read. */
  enter(grantId: GrantId, abort: AbortController): (() => void) | null;
  /** Ends all requests of a grant that is over. */
  cut(grantId: GrantId): void;
  /** How often `cut` was called: whoever waited in between asks again. */
  readonly cuts: number;
}

/** @param most requests of one grant at the same time */
export function openRequests(most: number): OpenRequests {
  const open = new Map<GrantId, Set<AbortController>>();
  let cuts = 0;
  return {
    enter(grantId, abort) {
      const mine = open.get(grantId) ?? new Set();
      if (mine.size >= most) return null;
      mine.add(abort);
      open.set(grantId, mine);
      return () => {
        mine.delete(abort);
        if (mine.size === 0 && open.get(grantId) === mine) open.delete(grantId);
      };
    },
    cut(grantId) {
      cuts++;
      for (const abort of open.get(grantId) ?? []) abort.abort(OVER);
    },
    get cuts() {
      return cuts;
    },
  };
}
