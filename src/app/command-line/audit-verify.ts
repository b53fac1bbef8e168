import { join } from 'node:path';
import { CHAIN_START, chainFault, type AuditRow } from '../../domain/audit.ts';
import { loadConfig } from '../../config/index.ts';
import { openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

const PAGE = 10_000;

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
    const ledger = await openSqliteLedgerReadOnly({ file: join(config.state_dir, 'ledger.sqlite'), log });
    try {
      // Before the rows: what is written meanwhile only makes them more.
      const { auditRows, auditHead } = await ledger.counts();
      const rows: AuditRow[] = [];
      for (let page = await ledger.audit(0, PAGE); page.length > 0; page = await ledger.audit(rows.at(-1)?.seq ?? 0, PAGE)) {
        rows.push(...page);
      }
      const fault = chainFault(rows, { seq: auditRows, hash: auditHead });
      if (fault !== null) {
        console.error(`The audit does not hold at row ${fault.seq}: ${fault.fault}.`);
        return 1;
      }
      console.log(`The audit holds: ${rows.length} rows.\nHead: ${rows.at(-1)?.hash ?? CHAIN_START}`);
      return 0;
    } finally {
      await ledger.close();
    }
  },
};
