import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { LimitPool } from './limit-pools.ts';
import type { Loan, SharedLimit, ToChild } from './messages.ts';

/** A child, as far as loans go. */
export type Borrower = {
  readonly send: (message: ToChild) => void;
  /** The grants whose requests it may serve. */
  readonly shown: { has(grantId: GrantId): boolean };
  /** The slots that are lent to it. */
  readonly slots: Map<GrantId, number>;
};

/** Lends what the limits of grants allow to the processes that serve them. */
export type LimitLender = {
  /** Lends up to `count`; if nothing is left, the other processes return what they do not use. */
  lend(limit: SharedLimit, grantId: GrantId, count: number, to: Borrower): Promise<Loan>;
  /** Takes back what is not used. */
  giveBack(limit: SharedLimit, grantId: GrantId, count: number, from: Borrower): void;
  /** A process has answered to `reclaim`. */
  reclaimed(id: number): void;
  /** Counts requests that are worth more than one. */
  charge(grantId: GrantId, count: number): void;
  /** A process that ended has nothing any more. */
  release(borrower: Borrower): void;
};

/** A process that does not return what it does not use by then keeps it for now. */
const RECLAIM_WITHIN_MS = 250;

/** @param borrowers those that are connected at this moment */
export function createLimitLender(
  pools: Readonly<Record<SharedLimit, LimitPool>>,
  borrowers: ReadonlySet<Borrower>,
): LimitLender {
  const reclaims = new Map<number, () => void>();
  let ids = 0;

  // What comes from a process that was taken over may be anything.
  const checked = (limit: SharedLimit, count: number): LimitPool => {
    if (!Object.hasOwn(pools, limit) || !Number.isSafeInteger(count) || count < 0)
      throw new MintwardenError('not-allowed', 'That cannot be lent.');
    return pools[limit];
  };

  const take = (limit: SharedLimit, grantId: GrantId, count: number, to: Borrower): number => {
    // It may have ended while it waited.
    if (!borrowers.has(to)) return 0;
    const got = checked(limit, count).take(grantId, count);
    if (limit === 'slots' && got > 0) to.slots.set(grantId, (to.slots.get(grantId) ?? 0) + got);
    return got;
  };

  const reclaim = (limit: SharedLimit, grantId: GrantId, count: number, from: Borrower): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const id = ++ids;
    const late = setTimeout(() => {
      reclaims.delete(id);
      resolve();
    }, RECLAIM_WITHIN_MS);
    reclaims.set(id, () => {
      reclaims.delete(id);
      clearTimeout(late);
      resolve();
    });
    from.send({ type: 'reclaim', id, limit, grantId, count });
    return promise;
  };

  return {
    async lend(limit, grantId, count, to) {
      let got = take(limit, grantId, count, to);
      const others = [...borrowers].filter((other) => other !== to && other.shown.has(grantId));
      if (got === 0 && others.length > 0) {
        await Promise.all(others.map((other) => reclaim(limit, grantId, count, other)));
        got = take(limit, grantId, count, to);
      }
      return { count: got, waitMs: got > 0 ? 0 : pools[limit].waitMs(grantId) };
    },
    giveBack(limit, grantId, count, from) {
      const pool = checked(limit, count);
      const lent = limit === 'slots' ? (from.slots.get(grantId) ?? 0) : count;
      const returned = Math.min(count, lent);
      if (limit === 'slots') {
        if (lent > returned) from.slots.set(grantId, lent - returned);
        else from.slots.delete(grantId);
      }
      if (returned > 0) pool.give(grantId, returned);
    },
    reclaimed: (id) => reclaims.get(id)?.(),
    charge: (grantId, count) => checked('requests', count).give(grantId, -count),
    release(borrower) {
      for (const [grantId, count] of borrower.slots) pools.slots.give(grantId, count);
      borrower.slots.clear();
    },
  };
}
