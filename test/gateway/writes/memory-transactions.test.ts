import { transactionsContract } from '../../contract/transactions.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';

// What the gateway's own tests use keeps the same promises.
transactionsContract('memory', async () => {
  const transactions = memoryTransactions();
  return {
    transactions,
    reopen: async () => transactions,
    end: async (grantId, at) => void transactions.ended.set(grantId, at),
    cleanup: async () => undefined,
  };
});
