import { unreachable } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import { abandonMint } from '../mint/abandon-mint.ts';
import { endUnasked } from '../revocation/end-grant.ts';
import type { World } from '../services.ts';

/** Does what is due for a grant: ends one whose time is over, gives up a mint that has no answer. */
export async function tendGrant(world: World, grant: Grant): Promise<void> {
  const now = world.clock.now();
  if (grant.nextActionAt === null || now < grant.nextActionAt) return;
  switch (grant.state) {
    case 'live':
      if (now >= grant.expiresAt) await endUnasked(world, grant.id, 'expired');
      return;
    case 'minting':
      return abandonMint(world, grant.id);
    case 'ended':
    case 'failed':
      return;
    default:
      return unreachable(grant.state);
  }
}
