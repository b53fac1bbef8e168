import type { GrantId } from '../../domain/ids.ts';
import type { IpcClient } from './ipc-client.ts';
import type { SharedLimit } from './messages.ts';

/** What this process may use of a limit that holds for all processes together. */
export type BorrowedLimit = {
  /** 0: taken; otherwise in how many milliseconds to try again. A promise if more must be borrowed first. */
  take(grantId: GrantId): number | Promise<number>;
  /** Puts one back that was taken. */
  release(grantId: GrantId): void;
  /** Gives up to `count` that are not used to another process. @returns how many */
  reclaim(grantId: GrantId, count: number): number;
  close(): void;
};

const RETURN_EVERY_MS = 500;
const NO_MORE_WITHIN_MS = 1;

type Held = {
  idle: number;
  /** The fewest that were idle since unused ones were last returned. */
  spare: number;
  waiting: number;
  borrowing: Promise<void> | null;
  /** Nothing can be borrowed before, on the monotonic clock. */
  refusedUntil: number;
};

/**
 * Borrows from the bot's process when it runs out, and returns what it does not use.
 * @param atOnce how many to borrow at the least, so that not every request asks
 */
export function createBorrowedLimit(client: IpcClient, limit: SharedLimit, atOnce: number): BorrowedLimit {
  const grants = new Map<GrantId, Held>();

  const heldOf = (grantId: GrantId): Held => {
    let held = grants.get(grantId);
    if (held === undefined) {
      held = { idle: 0, spare: 0, waiting: 0, borrowing: null, refusedUntil: 0 };
      grants.set(grantId, held);
    }
    return held;
  };

  const giveBack = (grantId: GrantId, count: number): void =>
    void client.call('giveBack', { limit, grantId, count }, () => undefined).catch(() => undefined);

  const borrow = (grantId: GrantId, held: Held): Promise<void> => {
    const count = Math.max(atOnce, held.waiting);
    return client
      .call('borrow', { limit, grantId, count }, (loan) => {
        // It may come so late that nothing is known of the grant any more.
        const now = heldOf(grantId);
        now.idle += loan.count;
        if (loan.count === 0) now.refusedUntil = performance.now() + Math.max(NO_MORE_WITHIN_MS, loan.waitMs);
      })
      .finally(() => (held.borrowing = null));
  };

  const use = (held: Held): 0 => {
    held.idle--;
    held.spare = Math.min(held.spare, held.idle);
    return 0;
  };

  const borrowed = async (grantId: GrantId, held: Held): Promise<number> => {
    held.waiting++;
    try {
      while (held.idle === 0) {
        const waitMs = held.refusedUntil - performance.now();
        if (waitMs > 0) return Math.ceil(waitMs);
        await (held.borrowing ??= borrow(grantId, held));
      }
      return use(held);
    } finally {
      held.waiting--;
    }
  };

  const returnSpare = (): void => {
    for (const [grantId, held] of grants) {
      const { spare } = held;
      held.idle -= spare;
      held.spare = held.idle;
      if (spare > 0) giveBack(grantId, spare);
      else if (isUnused(held)) grants.delete(grantId);
    }
  };
  const timer = setInterval(returnSpare, RETURN_EVERY_MS);
  timer.unref();

  return {
    take(grantId) {
      const held = heldOf(grantId);
      return held.idle > 0 ? use(held) : borrowed(grantId, held);
    },
    release(grantId) {
      const held = grants.get(grantId);
      if (held === undefined) giveBack(grantId, 1);
      else held.idle++;
    },
    reclaim(grantId, count) {
      const held = grants.get(grantId);
      if (held === undefined) return 0;
      const given = Math.min(count, held.idle);
      held.idle -= given;
      held.spare = Math.min(held.spare, held.idle);
      return given;
    },
    close: () => clearInterval(timer),
  };
}

function isUnused({ idle, waiting, borrowing, refusedUntil }: Held): boolean {
  return idle === 0 && waiting === 0 && borrowing === null && refusedUntil < performance.now();
}
