import type { Change } from '../../domain/change.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import type { IssueResult } from '../../ports/issuer.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { killingLease, orphanLease, refusedLease } from '../rows/lease-row.ts';

/**
 * An answer that came when nobody waits for it any more: the grant is over, or the attempt was given up.
 * What was made is killed; what was not is noted.
 */
export function decideLateAnswer(
  grant: Grant,
  lease: Lease,
  issued: IssueResult,
  sealed: string | null,
  now: number,
): Change | null {
  if (lease.state !== 'asking' && lease.state !== 'orphan') return null;
  if (issued.kind === 'issued' && sealed !== null) {
    return {
      at: now,
      leases: [killingLease(lease, now, sealed)],
      audit: [grantAudit(grant, 'lease-made', 'system', now, { lease: lease.id, unwanted: true })],
    };
  }
  if (issued.kind === 'refused') {
    return {
      at: now,
      leases: [refusedLease(lease, issued.problem)],
      audit: [grantAudit(grant, 'lease-failed', 'system', now, { lease: lease.id })],
    };
  }
  if (lease.state === 'orphan') return null;
  return {
    at: now,
    leases: [
      orphanLease(lease, issued.kind === 'unknown' ? issued.problem : 'The answer could not be kept.'),
    ],
    audit: [grantAudit(grant, 'lease-orphaned', 'system', now, { lease: lease.id, until: lease.validUntil })],
  };
}

/** Whether a lease that was asked for is still wanted when its answer comes. */
export function stillWanted(grant: Grant, lease: Lease, now: number): boolean {
  if (lease.state !== 'asking') return false;
  return grant.state === 'minting' ? now < grant.expiresAt : effectiveState(grant, now) !== 'inactive';
}
