import { z } from 'zod';
import { type AuditEvent, type AuditRow, canonicalJson } from '../../../domain/audit.ts';
import { undecodableRow, type StoredRow } from './decode.ts';

const event = z.object({
  at: z.number(),
  actor: z.string(),
  action: z.string(),
  grantId: z.string().nullable(),
  subject: z.string().nullable(),
  command: z.string().nullable(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
});

/** The text an audit event is stored as: JSON, so that every string comes back as it was hashed. */
export function auditText({ at, actor, action, grantId, subject, command, data }: AuditEvent): string {
  return canonicalJson({ at, actor, action, grantId, subject, command, data });
}

/**
 * An audit row as it stands in the file, true or not: `chainFault` judges it. An action that is not known
 * is passed on, so that a forged one is found by its hash and not hidden by an error.
 * @throws MintwardenError `state` for a row that is not an event at all
 */
export function auditFromRow(row: StoredRow): AuditRow {
  try {
    const parsed = event.parse(JSON.parse(row['event'] as string)) as AuditEvent;
    return {
      ...parsed,
      seq: row['seq'] as number,
      previous: row['previous'] as string,
      hash: row['hash'] as string,
    };
  } catch (error) {
    throw undecodableRow('audit', String(row['seq']), error);
  }
}
