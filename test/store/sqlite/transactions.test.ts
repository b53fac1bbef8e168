import type { GrantId } from '../../../src/domain/ids.ts';
import { markEnded, markLive } from '../../../src/domain/grant.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { NOON, sampleGrant } from '../../contract/sample.ts';
import { FIRST, SECOND, transactionsContract } from '../../contract/transactions.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

transactionsContract('SQLite', async () => {
  const scratch = await scratchFolder();
  const open = () => openSqliteLedger({ file: scratch.file, log: keptLog() });
  let ledger = await open();
  const grants = [FIRST, SECOND].map((id) => sampleGrant({ id }));
  await ledger.commit({ at: NOON, grants });
  const live = grants.map((grant) => markLive(grant));
  await ledger.commit({ at: NOON, grants: live });
  return {
    transactions: ledger.transactions,
    reopen: async () => {
      await ledger.close();
      ledger = await open();
      return ledger.transactions;
    },
    end: async (grantId: GrantId, at: number) => {
      const grant = live.find(({ id }) => id === grantId);
      if (grant !== undefined)
        await ledger.commit({ at, grants: [markEnded(grant, 'revoked', 'system', at)] });
    },
    cleanup: async () => {
      await ledger.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
});
