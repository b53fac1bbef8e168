import type { Change } from '../domain/change.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { Ledger } from '../ports/ledger.ts';

const ATTEMPTS = 10;

/**
 * The result of a decision: what to write (null: nothing), and a value for the caller.
 */
export type Decision<T> = { readonly change: Change | null; readonly value: T };

/** `seen`: the command of the change was acted on before, and nothing was written. */
export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'seen' };

/**
 * Decides and commits; decides again if a row changed in between.
 * @param decide reads the rows it decides on each time it is called
 * @throws MintwardenError `conflict` when a row changed in between every time
 */
export async function decideAndCommit<T>(
  ledger: Ledger,
  decide: () => Promise<Decision<T>>,
): Promise<Outcome<T>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { change, value } = await decide();
    if (change === null) return { kind: 'done', value };
    const committed = await ledger.commit(change);
    if (committed === 'committed') return { kind: 'done', value };
    if (committed === 'seen') return { kind: 'seen' };
  }
  throw new MintwardenError(
    'conflict',
    'This is being changed by several at once.',
    'Try again in a moment.',
  );
}
