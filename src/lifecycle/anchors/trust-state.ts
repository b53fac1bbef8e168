import type { OldCopy } from '../../domain/anchor.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Actor, GrantId } from '../../domain/ids.ts';
import { endGrant } from '../revocation/end-grant.ts';
import type { Services } from '../services.ts';
import { historyAudit, historyMessage } from '../rows/history-row.ts';
import { killAgain } from './record-findings.ts';
import type { AnchorParts } from './anchor-parts.ts';

const MANY = 100_000;

/** What an operator decides on. */
export type OldCopyState = { readonly copy: OldCopy; readonly live: readonly Grant[] };

/** What is held, and what is live in it; null where nothing is held. */
export async function oldCopyState(
  ledger: Pick<Services['ledger'], 'grants'>,
  store: Pick<AnchorParts['store'], 'oldCopy'>,
): Promise<OldCopyState | null> {
  const copy = await store.oldCopy();
  if (copy === null) return null;
  return { copy, live: await ledger.grants({ states: ['live', 'minting'], limit: MANY }) };
}

/**
 * Goes on from an old copy, at an operator's word: what is live in it ends, except for what they vouch for,
 * every upstream token that is kept is logged out again, and another history begins, which no older one can
 * overtake. Cut off on the way, it is done again.
 * @returns how many grants ended
 * @throws MintwardenError `conflict` where nothing is held, `not-found` for an id to keep that is not live
 */
export async function trustState(
  parts: Pick<Services, 'ledger' | 'clock' | 'random' | 'log'> & { readonly store: AnchorParts['store'] },
  request: { readonly by: Actor; readonly keep: readonly GrantId[]; readonly leaseMs: number },
): Promise<number> {
  const { ledger, store, clock, random } = parts;
  const { by, keep, leaseMs } = request;
  const state = await oldCopyState(ledger, store);
  if (state === null)
    throw new MintwardenError('conflict', 'This state is not held: there is nothing to confirm.', null);
  const stranger = keep.find((id) => !state.live.some((grant) => grant.id === id && grant.state === 'live'));
  if (stranger !== undefined)
    throw new MintwardenError(
      'not-found',
      `There is no live grant ${stranger} in this copy.`,
      'Run it without --confirm to see which there are.',
    );
  let ended = 0;
  for (const { id } of state.live.filter((grant) => !keep.includes(grant.id))) {
    const outcome = await endGrant({ ...parts, pendingRevocations: null }, id, {
      cause: 'old-copy',
      by,
      asked: 'nobody',
      command: null,
    });
    if (outcome.kind === 'ended') ended++;
  }
  const killing = await killAgain(parts);
  const at = clock.now();
  const news = {
    what: 'trusted',
    by,
    ended,
    kept: keep,
    unknownUntil: state.copy.foundAt + leaseMs,
  } as const;
  const { anchor } = state.copy;
  const data = { ended, kept: [...keep], killing, anchorSeq: anchor.seq, anchorHash: anchor.hash };
  const committed = await ledger.commit({
    at,
    messages: [historyMessage(news, at, random)],
    audit: [historyAudit('state-trusted', by, at, data)],
  });
  if (committed !== 'committed')
    throw new MintwardenError('state', 'The ledger did not take it.', 'Run it again.');
  await store.beginGeneration(Math.max(anchor.generation, await store.generation()) + 1);
  return ended;
}
