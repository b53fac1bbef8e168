import type { GrantId } from '../../../src/domain/ids.ts';
import type { Transaction, TransactionKey, Transactions } from '../../../src/ports/transactions.ts';

/** Transactions in memory: all that the port promises except surviving the process. */
export type MemoryTransactions = Transactions & {
  readonly rows: Map<string, Transaction>;
  readonly ended: Map<GrantId, number>;
};

export function memoryTransactions(): MemoryTransactions {
  const rows = new Map<string, Transaction>();
  const ended = new Map<GrantId, number>();
  const nameOf = ({ grantId, roomId, action, txnId }: TransactionKey) =>
    JSON.stringify([grantId, roomId, action, txnId]);
  const change = (key: TransactionKey, more: Partial<Transaction>) => {
    const row = rows.get(nameOf(key));
    if (row?.eventId === null) rows.set(nameOf(key), { ...row, ...more });
  };
  return {
    rows,
    ended,
    find: async (key) => rows.get(nameOf(key)) ?? null,
    begin: async (begun) => {
      if (rows.has(nameOf(begun))) return false;
      rows.set(nameOf(begun), { ...begun, eventId: null });
      return true;
    },
    resume: async (key, leaseId) => change(key, { leaseId }),
    sent: async (key, eventId) => change(key, { eventId }),
    unsent: async (key) => {
      if (rows.get(nameOf(key))?.eventId === null) rows.delete(nameOf(key));
    },
    forgetBefore: async (endedAt) => {
      for (const [name, row] of rows)
        if ((ended.get(row.grantId) ?? Number.POSITIVE_INFINITY) < endedAt) rows.delete(name);
    },
  };
}
