import type { Change } from '../../domain/change.ts';
import { unreachable } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { killingLease, orphanLease, reviseLease } from '../rows/lease-row.ts';
import type { NewIds } from '../rows/new-id.ts';
import { aliveMessage } from './kill-lease.ts';

/** What a lease's clock brings, without asking anybody; null where the row is not due for that. */
export function decideLeaseDue(
  grant: Grant,
  lease: Lease,
  patient: boolean,
  now: number,
  ids: NewIds,
): Change | null {
  if (lease.nextActionAt === null) return null;
  switch (lease.state) {
    case 'asking': {
      if (patient && now < lease.nextActionAt) return null;
      const orphan = orphanLease(lease, 'No answer was seen.');
      const told = now < lease.validUntil ? [aliveMessage(lease, 'orphan', now, ids)] : [];
      return {
        at: now,
        leases: [orphan],
        messages: told,
        audit: [
          grantAudit(grant, 'lease-orphaned', 'system', now, { lease: lease.id, until: lease.validUntil }),
        ],
      };
    }
    case 'alive':
      // Synapse never deletes expired tokens: they are logged out too.
      return now < lease.validUntil ? null : { at: now, leases: [killingLease(lease, now)] };
    case 'orphan':
      return now < lease.validUntil
        ? null
        : { at: now, leases: [reviseLease(lease, { state: 'dead', nextActionAt: null })] };
    case 'dead':
    case 'unkillable':
      return now < lease.validUntil
        ? null
        : { at: now, leases: [reviseLease(lease, { sealed: null, nextActionAt: null })] };
    case 'killing':
      return null;
    default:
      return unreachable(lease.state);
  }
}
