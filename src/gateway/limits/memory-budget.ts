import type { GrantId } from '../../domain/ids.ts';

/** The bytes one request holds of the homeserver's answers, from the first that comes until its own is read. */
export interface MemoryReservation {
  /** Counts bytes in; false where that would be too many, and then they are not counted. */
  take(bytes: number): boolean;
  /** Counts bytes out. */
  give(bytes: number): void;
  /** Counts out all that was taken so far. */
  releaseAll(): void;
  /** The request is over: nothing can be taken any more. */
  close(): void;
}

/** What may be held at one time. */
export interface MemoryBudget {
  reserve(grantId: GrantId): MemoryReservation;
}

/** For a request that has none: nothing can be taken. */
export const NO_MEMORY: MemoryReservation = {
  take: () => false,
  give: () => undefined,
  releaseAll: () => undefined,
  close: () => undefined,
};

/** Each grant may hold this much, however much others do: they cannot shut it out. */
const FLOOR_BYTES = 1_048_576;

type Totals = {
  readonly perGrant: number;
  readonly overall: number;
  readonly byGrant: Map<GrantId, number>;
  total: number;
};

/**
 * Bounds the memory that holders can make the gateway use by asking for much and reading slowly.
 * @param perGrant bytes for all requests of one grant
 * @param overall bytes for all of them, but for a mebibyte that each grant has in any case
 */
export function memoryBudget(perGrant: number, overall: number): MemoryBudget {
  const totals: Totals = { perGrant, overall, byGrant: new Map(), total: 0 };
  return { reserve: (grantId) => new Reservation(totals, grantId) };
}

class Reservation implements MemoryReservation {
  readonly #totals: Totals;
  readonly #grantId: GrantId;
  #held = 0;
  #isClosed = false;

  constructor(totals: Totals, grantId: GrantId) {
    this.#totals = totals;
    this.#grantId = grantId;
  }

  take(bytes: number): boolean {
    const { byGrant, perGrant, total, overall } = this.#totals;
    const all = (byGrant.get(this.#grantId) ?? 0) + bytes;
    const isTooMuch = all > perGrant || (total + bytes > overall && all > FLOOR_BYTES);
    if (this.#isClosed || isTooMuch) return false;
    this.#count(bytes);
    return true;
  }

  give(bytes: number): void {
    this.#count(-Math.min(bytes, this.#held));
  }

  releaseAll(): void {
    this.#count(-this.#held);
  }

  close(): void {
    this.#isClosed = true;
    this.#count(-this.#held);
  }

  #count(bytes: number): void {
    if (bytes === 0) return;
    this.#held += bytes;
    this.#totals.total += bytes;
    const all = (this.#totals.byGrant.get(this.#grantId) ?? 0) + bytes;
    if (all === 0) this.#totals.byGrant.delete(this.#grantId);
    else this.#totals.byGrant.set(this.#grantId, all);
  }
}
