import { setImmediate as turn } from 'node:timers/promises';
import type { GrantId } from '../../../src/domain/ids.ts';
import { type BorrowedLimit, createBorrowedLimit } from '../../../src/gateway/processes/borrowed-limit.ts';
import type { IpcClient } from '../../../src/gateway/processes/ipc-client.ts';
import { type Borrower, createLimitLender } from '../../../src/gateway/processes/limit-lender.ts';
import type { LimitPool } from '../../../src/gateway/processes/limit-pools.ts';
import type { SharedLimit } from '../../../src/gateway/processes/messages.ts';

export const GRANT = 'F00BAR' as GrantId;

/** A process that borrows; what passes between it and the lender takes a turn of the event loop. */
export type BorrowingProcess = {
  readonly limit: BorrowedLimit;
  /** From now on it answers nothing, as if it was stopped. */
  stop(): void;
  /** It is no more. */
  end(): void;
};

/** Processes that borrow from one lender. */
export function borrowingProcesses(
  count: number,
  limit: SharedLimit,
  pool: LimitPool,
  atOnce: number,
): Disposable & { readonly processes: readonly BorrowingProcess[]; readonly asked: string[] } {
  const borrowers = new Set<Borrower>();
  const lender = createLimitLender({ slots: pool, requests: pool }, borrowers);
  const asked: string[] = [];
  const processes = Array.from({ length: count }, (): BorrowingProcess => {
    let stopped = false;
    const borrower: Borrower = {
      shown: new Map([[GRANT, null]]),
      slots: new Map(),
      send: (message) =>
        void turn().then(async () => {
          if (stopped || message.type !== 'reclaim') return;
          const given = own.reclaim(message.grantId, message.count);
          await turn();
          lender.giveBack(limit, message.grantId, given, borrower);
          lender.reclaimed(message.id);
        }),
    };
    const client: Pick<IpcClient, 'call'> = {
      async call(kind, params, apply) {
        asked.push(kind);
        await turn();
        const { grantId, count: wanted } = params as { grantId: GrantId; count: number };
        let result: unknown = null;
        if (kind === 'borrow') result = await lender.lend(limit, grantId, wanted, borrower);
        else lender.giveBack(limit, grantId, wanted, borrower);
        await turn();
        return apply(result as never);
      },
    };
    const own = createBorrowedLimit(client as IpcClient, limit, atOnce);
    borrowers.add(borrower);
    return {
      limit: own,
      stop: () => (stopped = true),
      end() {
        borrowers.delete(borrower);
        lender.release(borrower);
      },
    };
  });
  return {
    processes,
    asked,
    [Symbol.dispose]() {
      for (const { limit: own } of processes) own.close();
    },
  };
}
