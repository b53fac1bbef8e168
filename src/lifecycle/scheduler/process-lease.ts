import { unreachable } from '../../domain/errors.ts';
import type { LeaseId } from '../../domain/ids.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Change } from '../../domain/change.ts';
import type { Grant } from '../../domain/grant.ts';
import { abandonMint } from '../mint/abandon-mint.ts';
import { auditOf } from '../rows/audit-event.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { aliveMessage, killLease } from '../leases/kill-lease.ts';
import { reviseLease, killingLease, orphanLease } from '../rows/lease-row.ts';
import { newIds, type NewIds } from '../rows/new-id.ts';
import type { Services } from '../services.ts';

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
          auditOf(grant, 'lease-orphaned', 'system', now, { lease: lease.id, until: lease.validUntil }),
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

/**
 * Does what is due for a lease: gives up waiting for an answer, logs out, erases.
 * @param options.patient false at start, when nobody can be waiting for an answer any more
 */
export async function processLease(
  services: Services,
  id: LeaseId,
  options: { readonly patient: boolean } = { patient: true },
): Promise<void> {
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<Lease | null>> => {
    const lease = await services.ledger.lease(id);
    const grant = lease === null ? null : await services.ledger.grant(lease.grantId);
    if (lease === null || grant === null) return { change: null, value: null };
    if (lease.state === 'asking' && grant.state === 'minting') return { change: null, value: lease };
    const change = decideLeaseDue(
      grant,
      lease,
      options.patient,
      services.clock.now(),
      newIds(services.random),
    );
    return { change, value: change?.leases?.[0] ?? lease };
  });
  const lease = outcome.kind === 'done' ? outcome.value : null;
  if (lease?.state === 'killing') await killLease(services, lease);
  const overdue =
    lease?.nextActionAt !== null &&
    lease !== null &&
    (!options.patient || services.clock.now() >= lease.nextActionAt);
  if (lease?.state === 'asking' && overdue) await abandonMint(services, lease.grantId);
}
