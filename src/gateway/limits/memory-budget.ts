import type { GrantId } from '../../domain/ids.ts';
import type { CoarseTimer, Expiring } from './coarse-timer.ts';
import { TurnQueue } from './turn-queue.ts';

/** Who reads an answer. */
export interface AnswerReader {
  /** When the answer was handed to the system, by the timer's clock; null: not yet, or it was taken whole. */
  readonly writtenAt: number | null;
  /** It is read too slowly while others wait for the memory. */
  endSlowReading(): void;
}

/** The turn of a large answer. */
export interface Turn {
  /** Whether the turn has come. If not, `go` is called when it does. */
  readonly isTaken: boolean;
  /** The answer has come whole, or is not wanted: the grant's next may come. @param bytes what stays reserved */
  end(bytes: number): void;
}

/** The bytes one request holds of the homeserver's answers, from the first that comes until its own is read. */
export interface MemoryReservation {
  /** Counts bytes in; false where that would be too many, and then they are not counted. */
  take(bytes: number): boolean;
  /** Counts bytes out that were taken. */
  give(bytes: number): void;
  /**
   * Reserves bytes for a large answer in its turn.
   * @param go called when the turn comes, unless it has come at once; never if the turn is ended before. It must not
   *   throw
   */
  waitForTurn(bytes: number, go: () => void): Turn;
  /** Counts out all that was taken so far. */
  releaseAll(): void;
  /** The request is over: nothing can be taken any more. */
  close(): void;
}

/** What may be held at one time. */
export interface MemoryBudget {
  reserve(grantId: GrantId, reader: AnswerReader): MemoryReservation;
}

/** For a request that has none: nothing can be taken. */
export const NO_MEMORY: MemoryReservation = {
  take: () => false,
  give: () => undefined,
  waitForTurn: () => ({ isTaken: false, end: () => undefined }),
  releaseAll: () => undefined,
  close: () => undefined,
};

/** Each grant may hold this much, however much others do: they cannot shut it out. */
const FLOOR_BYTES = 1_048_576;
/**
 * While others wait, a large answer must be read within this time, plus a second for each `SLOWEST_READ_BYTES`, and in
 * any case before those who wait give up.
 */
const SLOWEST_READ_MS = 5_000;
const SLOWEST_READ_BYTES = 524_288;
const LONGEST_READ_MS = 20_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Bounds the memory that holders can make the gateway use by asking for much and reading slowly.
 * @param perGrant bytes of small answers, and of large ones, for all requests of one grant
 * @param overall bytes of small answers, and of large ones, for all grants together; each may hold `FLOOR_BYTES` beyond
 *   that
 */
export function memoryBudget(perGrant: number, overall: number, timer: CoarseTimer): MemoryBudget {
  const budget = new Budget(perGrant, overall, timer);
  return { reserve: (grantId, reader) => new Reservation(budget, grantId, reader) };
}

type Size = 'small' | 'large';

class Budget implements Expiring {
  listIndex = -1;
  deadline = 0;
  readonly #perGrant: number;
  readonly #overall: number;
  readonly #timer: CoarseTimer;
  readonly #byGrant = { small: new Map<GrantId, number>(), large: new Map<GrantId, number>() } as const;
  readonly #queue = new TurnQueue<LargeTurn>();
  /** Those with large answers. */
  readonly #large = new Set<Reservation>();
  readonly #total = { small: 0, large: 0 };

  constructor(perGrant: number, overall: number, timer: CoarseTimer) {
    this.#perGrant = perGrant;
    this.#overall = overall;
    this.#timer = timer;
  }

  /** Whether a grant may hold more of small answers, or of large ones: neither shuts the other out. */
  fits(grantId: GrantId, bytes: number, of: Size): boolean {
    const all = (this.#byGrant[of].get(grantId) ?? 0) + bytes;
    if (all > this.#perGrant) return false;
    return this.#total[of] + bytes <= this.#overall || all <= FLOOR_BYTES;
  }

  count(grantId: GrantId, bytes: number, of: Size): void {
    if (bytes === 0) return;
    this.#total[of] += bytes;
    const byGrant = this.#byGrant[of];
    const all = (byGrant.get(grantId) ?? 0) + bytes;
    if (all === 0) byGrant.delete(grantId);
    else byGrant.set(grantId, all);
    if (bytes < 0 && !this.#queue.isEmpty) this.advance();
  }

  enter(turn: LargeTurn): void {
    this.#queue.add(turn);
    this.advance();
    if (!turn.isTaken && this.listIndex === -1) this.#lookLater();
  }

  leave(turn: LargeTurn): void {
    if (turn.isTaken) this.#queue.end(turn.grantId);
    else this.#queue.remove(turn);
    this.advance();
  }

  /** Until it has ended, its reader may be cut. */
  holdsLarge(reservation: Reservation, holds: boolean): void {
    if (holds) this.#large.add(reservation);
    else this.#large.delete(reservation);
  }

  advance(): void {
    for (;;) {
      const turn = this.#queue.next(
        // One answer always fits.
        ({ grantId, bytes }) => this.fits(grantId, bytes, 'large') || this.#total.large === 0,
        ({ grantId, bytes }) => bytes <= FLOOR_BYTES && this.fits(grantId, bytes, 'large'),
        ({ grantId, bytes }) => {
          const mine = this.#byGrant.large.get(grantId) ?? 0;
          return mine > 0 && mine + bytes > this.#perGrant;
        },
      );
      if (turn === null) return;
      turn.take();
    }
  }

  onExpired(): void {
    const now = this.#timer.now();
    for (const one of this.#large) one.endIfSlow(now);
    if (!this.#queue.isEmpty) this.#lookLater();
  }

  #lookLater(): void {
    this.deadline = this.#timer.now() + LOOK_EVERY_MS;
    this.#timer.add(this);
  }
}

class LargeTurn implements Turn {
  isTaken = false;
  readonly grantId: GrantId;
  readonly bytes: number;
  readonly #budget: Budget;
  readonly #reservation: Reservation;
  readonly #go: () => void;
  #isEntering = true;
  #isOver = false;

  constructor(budget: Budget, reservation: Reservation, grantId: GrantId, bytes: number, go: () => void) {
    this.#budget = budget;
    this.#reservation = reservation;
    this.grantId = grantId;
    this.bytes = bytes;
    this.#go = go;
    budget.enter(this);
    this.#isEntering = false;
  }

  take(): void {
    this.isTaken = true;
    this.#reservation.hold(this.bytes);
    // Not within what the other request is doing.
    if (!this.#isEntering)
      setImmediate(() => {
        if (!this.#isOver) this.#go();
      });
  }

  end(bytes: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.isTaken) this.#reservation.keep(Math.min(bytes, this.bytes));
    this.#budget.leave(this);
  }
}

class Reservation implements MemoryReservation {
  readonly #budget: Budget;
  readonly #grantId: GrantId;
  readonly #reader: AnswerReader;
  #small = 0;
  #large = 0;
  #turn: LargeTurn | null = null;
  #isClosed = false;

  constructor(budget: Budget, grantId: GrantId, reader: AnswerReader) {
    this.#budget = budget;
    this.#grantId = grantId;
    this.#reader = reader;
  }

  take(bytes: number): boolean {
    if (this.#isClosed || !this.#budget.fits(this.#grantId, bytes, 'small')) return false;
    this.#small += bytes;
    this.#budget.count(this.#grantId, bytes, 'small');
    return true;
  }

  give(bytes: number): void {
    const some = Math.min(bytes, this.#small);
    this.#small -= some;
    this.#budget.count(this.#grantId, -some, 'small');
  }

  waitForTurn(bytes: number, go: () => void): Turn {
    if (this.#isClosed) return { isTaken: false, end: () => undefined };
    this.#turn?.end(0);
    this.keep(0);
    this.#turn = new LargeTurn(this.#budget, this, this.#grantId, bytes, go);
    return this.#turn;
  }

  /** For its turn. */
  hold(bytes: number): void {
    this.#large = bytes;
    this.#budget.holdsLarge(this, true);
    this.#budget.count(this.#grantId, bytes, 'large');
  }

  /** Of what was held for its turn. */
  keep(bytes: number): void {
    const less = this.#large - bytes;
    if (less <= 0) return;
    this.#large = bytes;
    if (bytes === 0) this.#budget.holdsLarge(this, false);
    this.#budget.count(this.#grantId, -less, 'large');
  }

  endIfSlow(now: number): void {
    const { writtenAt } = this.#reader;
    const allowedMs = Math.min(LONGEST_READ_MS, SLOWEST_READ_MS + (this.#large / SLOWEST_READ_BYTES) * 1_000);
    if (writtenAt !== null && now - writtenAt > allowedMs) this.#reader.endSlowReading();
  }

  releaseAll(): void {
    this.#turn?.end(0);
    this.#turn = null;
    this.give(this.#small);
    this.keep(0);
  }

  close(): void {
    this.#isClosed = true;
    this.releaseAll();
  }
}
