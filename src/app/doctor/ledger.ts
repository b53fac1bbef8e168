import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { takeWriterLock } from '../../store/sqlite/lock.ts';
import { verifyAudit } from '../audit/verify.ts';
import { ledgerFile } from '../places.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** Whether a Mintwarden runs on this state folder: then it has the ledger's lock. */
export function isRunning(config: Config, log: Log): boolean {
  const file = ledgerFile(config);
  if (!existsSync(`${file}.lock`)) return false;
  try {
    takeWriterLock(file, log)();
    return false;
  } catch (error) {
    if (error instanceof MintwardenError && /in use/.test(error.message)) return true;
    throw error;
  }
}

/** The ledger: there, of our version, whole, its audit chain unbroken, nothing left hanging. */
export async function checkLedger(config: Config, log: Log): Promise<readonly Finding[]> {
  const file = ledgerFile(config);
  if (!existsSync(file)) {
    return [warn('ledger', `There is no ledger at ${file} yet.`, 'It is made at the first start.', 'Run mintwarden start.')];
  }
  const ledger = await openSqliteLedgerReadOnly({ file, log });
  try {
    const counts = await ledger.counts();
    const verdict = await verifyAudit(ledger);
    const findings: Finding[] = [
      verdict.fault === null
        ? ok(
            'ledger',
            `${String(counts.grantsEver)} grants, ${String(counts.live)} of them live; ${String(verdict.rows)} audit rows, the chain unbroken.`,
          )
        : fail(
            'ledger',
            verdict.fault,
            'What is in the audit is not what was written.',
            'Keep a copy of the state folder and find out who had access to it.',
          ),
    ];
    const { orphan, unkillable } = counts.leases;
    if (orphan + unkillable > 0) {
      const found = `${String(orphan + unkillable)} upstream tokens may be alive at the homeserver without being of use.`;
      findings.push(warn('ledger', found, 'Nobody holds them; each dies at its own end.', 'See !status in the control room.'));
    }
    return findings;
  } finally {
    await ledger.close();
  }
}
