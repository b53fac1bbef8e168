import type { GrantId } from '../../domain/ids.ts';
import type { GrantSlots } from './grant-slots.ts';
import { type Listed, MemberList } from './member-list.ts';

/** A request that can be ended. */
export interface Cuttable extends Listed {
  /** Its grant is no longer valid. */
  endByGrant(): void;
}

/** The requests that are being answered, by grant. */
export interface OpenRequests {
  /**
   * Counts a request in; false where the grant has as many as it may. Then call `leave` when its answer was
   * read. A promise where slots are kept in another process: the request can be cut while it waits.
   */
  enter(grantId: GrantId, request: Cuttable): boolean | Promise<boolean>;
  /** Counts it out. Does nothing where it was not counted in, or was counted out already. */
  leave(grantId: GrantId, request: Cuttable): void;
  /** Ends all requests of a grant that is over. */
  cut(grantId: GrantId): void;
  /** How often `cut` was called: a request that waited in between asks again. */
  readonly cuts: number;
}

/** @param slots for the requests of each grant */
export function openRequests(slots: GrantSlots): OpenRequests {
  const open = new Map<GrantId, MemberList<Cuttable>>();
  let cuts = 0;
  const remove = (grantId: GrantId, request: Cuttable): boolean => {
    const mine = open.get(grantId);
    if (mine?.delete(request) !== true) return false;
    if (mine.size === 0) open.delete(grantId);
    return true;
  };
  const whenTaken = async (
    grantId: GrantId,
    request: Cuttable,
    waitMs: Promise<number>,
  ): Promise<boolean> => {
    let isTaken = false;
    try {
      isTaken = (await waitMs) === 0;
    } finally {
      if (!isTaken) remove(grantId, request);
    }
    return isTaken;
  };
  return {
    enter(grantId, request) {
      const waitMs = slots.take(grantId);
      if (typeof waitMs === 'number' && waitMs > 0) return false;
      let mine = open.get(grantId);
      if (mine === undefined) open.set(grantId, (mine = new MemberList()));
      mine.add(request);
      return typeof waitMs === 'number' || whenTaken(grantId, request, waitMs);
    },
    leave(grantId, request) {
      if (remove(grantId, request)) slots.release(grantId);
    },
    cut(grantId) {
      cuts++;
      const mine = open.get(grantId);
      for (const request of mine?.snapshot() ?? []) if (mine?.has(request) === true) request.endByGrant();
    },
    get cuts() {
      return cuts;
    },
  };
}
