import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { backlogContract } from '../../contract/backlog.ts';
import { ledgerContract, type LedgerUnderTest } from '../../contract/ledger.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

async function sqlite(): Promise<LedgerUnderTest> {
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
}

ledgerContract('SQLite', sqlite);
backlogContract('SQLite', sqlite);
