import { unreachable } from '../domain/errors.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { ClockProblem } from '../domain/history-news.ts';
import { clockSentence } from '../words/clock.ts';

/** Why no token is honoured and none is made, until it is settled. */
export type Lockdown =
  | { readonly kind: 'old-copy' }
  | { readonly kind: 'clock'; readonly problem: ClockProblem };

/** Why, in a sentence or two. */
export function lockdownSentence(held: Lockdown): string {
  switch (held.kind) {
    case 'old-copy':
      return 'My state is an old copy: until an operator confirms it, I honour no token and make none.';
    case 'clock':
      return clockSentence(held.problem);
    default:
      return unreachable(held);
  }
}

/** @throws MintwardenError `not-allowed` while anything is held */
export function refuseDuringLockdown(lockdown: () => Lockdown | null): void {
  const why = lockdown();
  if (why === null) return;
  const next =
    why.kind === 'old-copy'
      ? 'An operator brings the newer state back, or stops the service and runs `mintwarden recover`.'
      : null;
  throw new MintwardenError(
    'not-allowed',
    `${lockdownSentence(why)} Only what takes power away is done now.`,
    next,
  );
}
