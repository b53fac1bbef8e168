import type { GrantId } from '../../domain/ids.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { decideMintFailed } from './mint-decisions.ts';
import { newIds } from '../rows/new-id.ts';
import type { Services } from '../services.ts';

/**
 * Fails a mint whose answer will not come: the process that asked is gone, or has waited too long. What the
 * homeserver may have made is reported as possibly alive; a token that still arrives is killed.
 */
export async function abandonMint(services: Services, id: GrantId): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const [grant, leases] = await Promise.all([services.ledger.grant(id), services.ledger.leases(id)]);
    if (grant === null || grant.state !== 'minting') return { change: null, value: null };
    const lease = leases.find((row) => row.state === 'asking') ?? null;
    const failure = {
      sentence: 'Mintwarden was interrupted while it waited for the homeserver’s answer.',
      next: 'Nobody holds what the homeserver may have made. Send the command again.',
      mayExist: lease !== null,
      problem: 'No answer was seen.',
    };
    return {
      change: decideMintFailed(grant, lease, failure, services.clock.now(), newIds(services.random)),
      value: null,
    };
  });
}
