import { MintwardenError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Ledger } from '../../ports/ledger.ts';

const COUNTED = ['minting', 'live'] as const;

/**
 * Whether one more grant is within the limits.
 * @throws MintwardenError `refused-by-policy`
 */
export async function checkLimits(ledger: Ledger, policy: Policy, subject: UserId): Promise<void> {
  const [all, theirs] = await Promise.all([
    ledger.grants({ states: COUNTED, limit: policy.maxLiveGrants }),
    ledger.grants({ states: COUNTED, subject, limit: policy.maxLiveGrantsPerSubject }),
  ]);
  if (theirs.length >= policy.maxLiveGrantsPerSubject) {
    throw new MintwardenError(
      'refused-by-policy',
      `${subject} has ${theirs.length} live grants, as many as policy allows.`,
      `End one first: !revoke ${theirs.at(-1)?.id ?? 'ID'}`,
    );
  }
  if (all.length >= policy.maxLiveGrants) {
    throw new MintwardenError(
      'refused-by-policy',
      `There are ${all.length} live grants, as many as policy allows.`,
      'End one first: !list shows them, !revoke ID ends one.',
    );
  }
}
