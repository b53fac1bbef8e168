import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Log } from '../../ports/log.ts';
import { type Inspection, inspectLedger, openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { type AuditVerdict, verifyAudit } from '../audit/verify.ts';
import { safeInline, shortened } from '../../words/safe-text.ts';
import { ledgerFile } from '../paths.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { ownCommand } from './shell.ts';

/**
 * What is seen of the ledger's file; null where there is none, or it cannot be opened (`checkLedger` says
 * why).
 */
export function inspectLedgerFile(config: Config): Inspection | null {
  const file = ledgerFile(config);
  if (!existsSync(file)) return null;
  try {
    return inspectLedger(file);
  } catch (error) {
    if (error instanceof MintwardenError) return null;
    throw error;
  }
}

/** The ledger: there, of our version, whole, its audit chain unbroken, nothing left hanging. */
export async function checkLedger(
  config: Config,
  log: Log,
  inspected: Inspection | null,
): Promise<readonly Finding[]> {
  const file = ledgerFile(config);
  if (!existsSync(file))
    return [
      warn('ledger', `There is no ledger at ${file} yet.`, {
        fix: 'It is made at the first start.',
        command: ownCommand(config, 'start'),
      }),
    ];
  if (inspected !== null && inspected.damage.length > 0)
    return [
      fail(
        'ledger-integrity',
        `The file ${file} is damaged: ${inspected.damage.map((line) => shortened(safeInline(line), 200)).join('; ')}.`,
      ),
    ];
  const ledger = await openSqliteLedgerReadOnly({ file, log });
  try {
    const { grantsEver, live, leases } = await ledger.counts();
    const verdict = await verifyAudit(ledger).catch(toVerdict);
    const hanging = leases.orphan + leases.unkillable;
    return [
      ok('ledger', `${String(grantsEver)} grants, ${String(live)} of them live.`),
      ...(inspected === null ? [] : [ok('ledger-integrity', 'The file of the ledger is whole.')]),
      verdict.fault === null
        ? ok(
            'audit-chain',
            `${String(verdict.rows)} audit rows, the chain unbroken. Its head: ${verdict.head}`,
          )
        : fail('audit-chain', verdict.fault),
      hanging > 0
        ? warn(
            'orphan-leases',
            `${String(hanging)} upstream ${hanging === 1 ? 'token' : 'tokens'} may be alive at the homeserver without being of use.`,
          )
        : ok('orphan-leases', 'No upstream token is left hanging.'),
    ];
  } finally {
    await ledger.close();
  }
}

/** A row that cannot be read at all is a break of the chain, too. */
function toVerdict(error: unknown): AuditVerdict {
  if (error instanceof MintwardenError) return { rows: 0, head: '', fault: error.message };
  throw error;
}

/**
 * The identity of a user that counts, for as long as there is a ledger that can be read; null: it says
 * nothing.
 */
export function pinnedKeyLookup(
  config: Config,
  log: Log,
  inspected: Inspection | null,
): ((userId: UserId) => Promise<string | null>) | null {
  if (inspected === null || inspected.damage.length > 0) return null;
  return async (userId) => {
    const ledger = await openSqliteLedgerReadOnly({ file: ledgerFile(config), log });
    try {
      return (await ledger.pin(userId))?.masterKey ?? null;
    } finally {
      await ledger.close();
    }
  };
}
