import type { LeaseId } from '../../domain/ids.ts';
import type { Lease } from '../../domain/lease.ts';
import { abandonMint } from '../mint/abandon-mint.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { decideLeaseDue } from '../leases/lease-due.ts';
import { killLease } from '../leases/kill-lease.ts';
import { newIds } from '../rows/new-id.ts';
import type { Services } from '../services.ts';

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
