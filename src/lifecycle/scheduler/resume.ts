import { abandonMint } from '../mint/abandon-mint.ts';
import { excludeControlRooms } from '../exclude-room.ts';
import { ASKING_PATIENCE_MS } from '../rows/lease-row.ts';
import { processLease } from './process-lease.ts';
import type { Services } from '../services.ts';

const MANY = 100_000;

/**
 * Once, at start, before anything else uses the ledger: what an earlier process asked the homeserver for and
 * never saw is now nobody's. Mints fail with their reply, leases become orphans; all else the reaper takes up
 * from its rows.
 * @returns how many attempts were given up
 */
export async function resume(
  services: Services,
): Promise<{ readonly mints: number; readonly leases: number }> {
  const minting = await services.ledger.grants({ states: ['minting'], limit: MANY });
  for (const grant of minting) await abandonMint(services, grant.id);
  const { leases } = await services.ledger.due(services.clock.now() + ASKING_PATIENCE_MS, MANY);
  const asking = leases.filter((lease) => lease.state === 'asking');
  for (const lease of asking) await processLease(services, lease.id, { patient: false });
  await excludeControlRooms(services);
  return { mints: minting.length, leases: asking.length };
}
