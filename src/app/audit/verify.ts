import { chainFault, type AuditRow } from '../../domain/audit.ts';
import type { Ledger } from '../../ports/ledger.ts';

const BATCH = 5_000;

/** What came of checking the audit: a sentence that says what is wrong, or null. */
export type AuditVerdict = { readonly rows: number; readonly head: string; readonly fault: string | null };

/** Reads the whole audit and checks that no row was changed, left out, cut off or put elsewhere. */
export async function verifyAudit(ledger: Pick<Ledger, 'audit' | 'counts'>): Promise<AuditVerdict> {
  // The head is read first: rows that are written meanwhile come after it.
  const { auditRows, auditHead } = await ledger.counts();
  const rows: AuditRow[] = [];
  for (;;) {
    const batch = await ledger.audit(rows.at(-1)?.seq ?? 0, BATCH);
    rows.push(...batch);
    if (batch.length < BATCH) break;
  }
  const fault = chainFault(rows, auditRows === 0 ? undefined : { seq: auditRows, hash: auditHead });
  const sentence = fault === null ? null : `Audit row ${String(fault.seq)}: ${fault.fault}.`;
  return { rows: rows.length, head: rows.at(-1)?.hash ?? auditHead, fault: sentence };
}
