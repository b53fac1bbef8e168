import { loadConfig } from '../../config/index.ts';
import { openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { verifyAudit } from '../audit/verify.ts';
import { ledgerFile } from '../paths.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden audit verify`: works beside a running service, and without a homeserver. */
export const auditVerify: CliCommand = {
  name: 'audit verify',
  summary: 'check the chain of the audit: edits, deletions and reordering are found',
  usage: '[--config FILE]',
  flags: [CONFIG_FLAG],
  notes: [
    'Works offline and beside a running service. Compare the head it prints with one that was',
    'written down elsewhere to find out whether rows at the end were cut off.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const log = createLog({ level: 'warn', pretty: true });
    const ledger = await openSqliteLedgerReadOnly({ file: ledgerFile(config), log });
    try {
      const { rows, head, fault } = await verifyAudit(ledger);
      if (fault === null)
        console.log(`The audit holds: ${String(rows)} ${rows === 1 ? 'row' : 'rows'}.\nHead: ${head}`);
      else console.error(`The audit does not hold. ${fault}`);
      return fault === null ? 0 : 1;
    } finally {
      await ledger.close();
    }
  },
};
