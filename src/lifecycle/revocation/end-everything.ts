import { setTimeout as sleep } from 'node:timers/promises';
import type { Operator } from '../../domain/ids.ts';
import { mayBeAlive, type Lease } from '../../domain/lease.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { killLease } from '../leases/kill-lease.ts';
import { decideLeaseDue } from '../leases/lease-due.ts';
import { newIds } from '../rows/new-id.ts';
import type { Services } from '../services.ts';
import { endGrant } from './end-grant.ts';

const MANY = 100_000;
const PAUSES_MS = [0, 500, 2_000, 5_000];

/** What is needed to end everything: no bot, and exclusive use of the ledger. */
export type OfflineServices = Pick<Services, 'ledger' | 'issuer' | 'sealer' | 'clock' | 'random' | 'log'>;

/** How many grants ended now, and the upstream tokens that may still be alive. */
export type EverythingEnded = { readonly ended: number; readonly pending: readonly Lease[] };

/**
 * Ends every grant there is and logs every upstream token out, several times if need be. Nothing else may use
 * the ledger meanwhile. Can be cut off and done again.
 * @throws MintwardenError `state` where an end cannot be written
 */
export async function endEverything(services: OfflineServices, by: Operator): Promise<EverythingEnded> {
  const { ledger } = services;
  const alive = await ledger.grants({ states: ['live', 'minting'], limit: MANY });
  for (const { id } of alive)
    await endGrant({ ...services, pendingRevocations: null }, id, {
      cause: 'revoked',
      by,
      asked: 'nobody',
      command: null,
    });

  const every = await ledger.grants({ limit: MANY });
  const leases = (await Promise.all(every.map(({ id }) => ledger.leases(id)))).flat();
  // No process is left that waits for an answer, so it will never be seen.
  for (const lease of leases) if (lease.state === 'asking') await giveUp(services, lease);
  for (const pauseMs of PAUSES_MS) {
    const killing = (await Promise.all(leases.map(({ id }) => ledger.lease(id)))).filter(
      (lease) => lease?.state === 'killing',
    );
    if (killing.length === 0) break;
    await sleep(pauseMs);
    for (const lease of killing) if (lease !== null) await killLease(services, lease);
  }
  const now = services.clock.now();
  const after = await Promise.all(leases.map(({ id }) => ledger.lease(id)));
  return {
    ended: alive.length,
    pending: after.filter((lease) => lease !== null).filter((lease) => mayBeAlive(lease, now)),
  };
}

async function giveUp(services: OfflineServices, { id }: Lease): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const lease = await services.ledger.lease(id);
    const grant = lease === null ? null : await services.ledger.grant(lease.grantId);
    if (lease?.state !== 'asking' || grant === null) return { change: null, value: null };
    return {
      change: decideLeaseDue(grant, lease, false, services.clock.now(), newIds(services.random)),
      value: null,
    };
  });
}
