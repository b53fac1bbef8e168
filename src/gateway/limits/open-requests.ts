import type { GrantId } from '../../domain/ids.ts';
import type { GrantSlots } from './grant-slots.ts';

/** A request that can be ended. */
export type Cuttable = {
  /** Its grant is no longer valid. */
  endByGrant(): void;
};

type Leave = () => void;

/** The requests that are being answered, by grant. */
export interface OpenRequests {
  /**
   * Counts a request in, or null where the grant has as many as it may. Call what comes back when its answer
   * was read. A promise where slots are kept in another process: the request can be cut while it waits.
   */
  enter(grantId: GrantId, request: Cuttable): Leave | null | Promise<Leave | null>;
  /** Ends all requests of a grant that is over. */
  cut(grantId: GrantId): void;
  /** How often `cut` was called: a request that waited in between asks again. */
  readonly cuts: number;
}

/** @param slots for the requests of each grant */
export function openRequests(slots: GrantSlots): OpenRequests {
  const open = new Map<GrantId, Set<Cuttable>>();
  let cuts = 0;
  return {
    enter(grantId, request) {
      const waitMs = slots.take(grantId);
      if (typeof waitMs === 'number' && waitMs > 0) return null;
      const mine = open.get(grantId) ?? new Set();
      mine.add(request);
      open.set(grantId, mine);
      const remove = (): boolean => {
        const wasOpen = mine.delete(request);
        if (mine.size === 0 && open.get(grantId) === mine) open.delete(grantId);
        return wasOpen;
      };
      const leave = (): void => {
        if (remove()) slots.release(grantId);
      };
      return typeof waitMs === 'number' ? leave : whenTaken(waitMs, leave, remove);
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

async function whenTaken(
  waitMs: Promise<number>,
  leave: Leave,
  remove: () => boolean,
): Promise<Leave | null> {
  let isTaken = false;
  try {
    isTaken = (await waitMs) === 0;
  } finally {
    if (!isTaken) remove();
  }
  return isTaken ? leave : null;
}
