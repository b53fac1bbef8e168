import type { AuditAction, AuditEvent } from '../../domain/audit.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Actor, EventId } from '../../domain/ids.ts';

/** An audit event about a grant. `data` never holds a secret. */
export function grantAudit(
  grant: Grant,
  action: AuditAction,
  actor: Actor,
  at: number,
  data: AuditEvent['data'] = {},
  command: EventId | null = null,
): AuditEvent {
  return { at, actor, action, grantId: grant.id, subject: grant.subject, command, data };
}
