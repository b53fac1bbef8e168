import { unreachable } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import { abandonMint } from '../mint/abandon-mint.ts';
import { endAutomatically } from '../revocation/end-grant.ts';
import type { Services } from '../services.ts';

/** Does what is due for a grant: ends one whose time is over, gives up a mint that has no answer. */
export async function processGrant(services: Services, grant: Grant): Promise<void> {
  const now = services.clock.now();
  if (grant.nextActionAt === null || now < grant.nextActionAt) return;
  switch (grant.state) {
    case 'live':
      if (now >= grant.expiresAt) await endAutomatically(services, grant.id, 'expired');
      return;
    case 'minting':
      return abandonMint(services, grant.id);
    case 'ended':
    case 'failed':
      return;
    default:
      return unreachable(grant.state);
  }
}
