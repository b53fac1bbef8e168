import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { ledgerContract } from '../../contract/ledger.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

ledgerContract('SQLite', async () => {
  const scratch = await scratchFolder();
  const open = () => openSqliteLedger({ file: scratch.file, log: keptLog() });
  let ledger = await open();
  return {
    ledger,
    reopen: async () => {
      await ledger.close();
      ledger = await open();
      return ledger;
    },
    cleanup: async () => {
      await ledger.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
});
