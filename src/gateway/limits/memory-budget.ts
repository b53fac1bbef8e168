import type { GrantId } from '../../domain/ids.ts';
import type { Times } from '../request/visit.ts';

/**
 * The bytes one request holds of the homeserver's answers, from the first that comes until its own answer is
 * read.
 */
export interface MemoryReservation {
  /** Counts bytes in; false where that would be too much, and then they are not counted. */
  take(bytes: number): boolean;
  /** Counts bytes out that came to nothing. */
  give(bytes: number): void;
  /** Counts out what was taken so far: it is no longer needed. */
  free(): void;
  /** Notes that the homeserver took so long to answer. */
  waited(ms: number): void;
  /** The request is over. Nothing can be taken any more. */
  close(): void;
}

/** What may be held at one time. */
export interface MemoryBudget {
  hold(grantId: GrantId, times?: Times): MemoryReservation;
}

/** So much each grant may hold, however much others do: they cannot shut it out. */
const FLOOR_BYTES = 1_048_576;

/**
 * Bounds the memory that holders can make the gateway use by asking much and reading slowly.
 * @param perGrant bytes for all requests of one grant
 * @param overall bytes for all of them, but for a mebibyte that each grant has in any case
 */
export function memoryBudget(perGrant: number, overall: number): MemoryBudget {
  const byGrant = new Map<GrantId, number>();
  let total = 0;
  return {
    hold(grantId, times) {
      let mine = 0;
      let closed = false;
      const count = (bytes: number): void => {
        mine += bytes;
        total += bytes;
        const all = (byGrant.get(grantId) ?? 0) + bytes;
        if (all === 0) byGrant.delete(grantId);
        else byGrant.set(grantId, all);
      };
      return {
        take(bytes) {
          const all = (byGrant.get(grantId) ?? 0) + bytes;
          if (closed || all > perGrant || (total + bytes > overall && all > FLOOR_BYTES)) return false;
          count(bytes);
          return true;
        },
        give: (bytes) => count(-Math.min(bytes, mine)),
        free: () => count(-mine),
        waited: (ms) => {
          if (times !== undefined) times.homeserverMs += ms;
        },
        close() {
          closed = true;
          count(-mine);
        },
      };
    },
  };
}
