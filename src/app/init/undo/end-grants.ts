import { randomBytes } from 'node:crypto';
import { MintwardenError } from '../../../domain/errors.ts';
import { endEverything } from '../../../lifecycle/revocation/end-everything.ts';
import { createSealer, loadKey } from '../../../store/seal/index.ts';
import type { SqliteLedger } from '../../../store/sqlite/open.ts';
import { utc } from '../../../words/time.ts';
import { connectSynapse } from './accounts.ts';
import { hasReached, type UndoState } from './state.ts';

const RUN_AGAIN = 'Nothing was removed. Run mintwarden init --undo again then: it goes on where it was.';

/**
 * Ends every grant. Comes first, whatever an earlier run reached: while there is a ledger there may be grants.
 * @throws MintwardenError `homeserver-unreachable` that names tokens which may still be alive
 */
export async function endGrants(
  { options, config, target, recording }: UndoState,
  ledger: SqliteLedger,
): Promise<void> {
  if (config === null) return;
  const { out, by, log } = options;
  const keys = await loadKey(config.sealing_key_file).then(
    (key) => [key],
    // Without it nothing opens: what may be alive is then named as such.
    () => [{ id: 'lost', key: randomBytes(32) }],
  );
  const random = { bytes: (count: number) => randomBytes(count) };
  await using synapse = connectSynapse(target, config.issuer.access_token);
  const clock = { now: () => Date.now() };
  const sealer = createSealer({ keys, randomBytes: random.bytes });
  const { ended, pending } = await endEverything(
    { ledger, issuer: synapse.issuer, sealer, clock, random, log },
    by,
  );
  if (ended > 0) out(`Ended ${ended === 1 ? '1 grant' : `${String(ended)} grants`}.`);
  if (pending.length > 0) {
    const now = clock.now();
    const named = pending.map(
      ({ grantId, subject, validUntil, lastProblem }) =>
        `  grant ${grantId}, for ${subject}: until ${utc(validUntil, now)}${lastProblem === null ? '' : ` (${lastProblem})`}`,
    );
    throw new MintwardenError(
      'homeserver-unreachable',
      [
        'Tokens at the homeserver may still be alive. Each ends by itself at its time, or when the homeserver can be asked:',
        ...named,
      ].join('\n'),
      RUN_AGAIN,
    );
  }
  if (!hasReached(recording, 'ended')) await recording.change({ undone: 'ended' });
  out('Every token made for others is dead at the homeserver.');
}
