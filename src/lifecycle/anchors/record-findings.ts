import type { Anchor, OldCopy } from '../../domain/anchor.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { killingLease } from '../rows/lease-row.ts';
import { reviseMessage } from '../rows/message-row.ts';
import { historyAudit, historyMessage } from '../rows/history-row.ts';
import type { AnchorParts } from './anchor-parts.ts';

type Writing = Pick<AnchorParts, 'ledger' | 'clock' | 'random' | 'store'>;

/**
 * What was sent after the copy was made lies in the rooms from its creation on; clocks may differ by so much.
 */
const MARGIN_MS = 600_000;

/**
 * The state is an old copy: noted, told once, and what waits to be sent is looked for in the rooms first,
 * since it may have been sent after the copy was made.
 */
export async function recordOldCopy({ ledger, clock, random, store }: Writing, copy: OldCopy): Promise<void> {
  const at = clock.now();
  const { anchor, why, seq } = copy;
  await searchFirst(ledger, store, at);
  const { live } = await ledger.counts();
  const news = { what: 'held', why, at: anchor.at, anchorSeq: anchor.seq, seq, live } as const;
  const data = {
    why,
    anchorSeq: anchor.seq,
    anchorHash: anchor.hash,
    anchorAt: anchor.at,
    generation: anchor.generation,
    seq,
  };
  // First that it is held: the rows that are written from now on belong to no history that counts.
  await store.markOldCopy(copy);
  await sure(
    ledger.commit({
      at,
      messages: [historyMessage(news, at, random)],
      audit: [historyAudit('state-held', 'system', at, data)],
    }),
  );
}

/** The state was lost as a whole: another history begins, and what is known of the old one is told. */
export async function recordLostState(
  { ledger, clock, random, store }: Writing,
  anchor: Anchor,
  leaseMs: number,
): Promise<void> {
  const at = clock.now();
  const news = { what: 'lost', at: anchor.at, live: anchor.live, unknownUntil: at + leaseMs } as const;
  const data = {
    anchorSeq: anchor.seq,
    anchorHash: anchor.hash,
    anchorAt: anchor.at,
    generation: anchor.generation,
    live: anchor.live,
  };
  await sure(
    ledger.commit({
      at,
      messages: [historyMessage(news, at, random)],
      audit: [historyAudit('state-lost', 'system', at, data)],
    }),
  );
  await store.beginGeneration(anchor.generation + 1);
}

/**
 * The homeserver was restored from a backup: upstream tokens that were logged out since then may be alive
 * again.
 */
export async function recordHomeserverRestored(writing: Writing): Promise<number> {
  const { ledger, clock, random } = writing;
  const killing = await killAgain(writing);
  const at = clock.now();
  const news = { what: 'homeserver-restored', killing } as const;
  await sure(
    ledger.commit({
      at,
      messages: [historyMessage(news, at, random)],
      audit: [historyAudit('homeserver-restored', 'system', at, { killing })],
    }),
  );
  return killing;
}

/**
 * Has every upstream token logged out once more of which a copy is kept. One that is dead stays so; the
 * reaper does it, and tries until it is confirmed.
 * @returns how many
 */
export async function killAgain({
  ledger,
  clock,
  store,
}: Pick<Writing, 'ledger' | 'clock' | 'store'>): Promise<number> {
  let count = 0;
  for (const id of await store.keptLeases(clock.now())) {
    await decideAndCommit(ledger, async (): Promise<Decision<null>> => {
      const lease = await ledger.lease(id);
      if (lease === null || lease.sealed === null || (lease.state !== 'dead' && lease.state !== 'unkillable'))
        return { change: null, value: null };
      const at = clock.now();
      count++;
      return { change: { at, leases: [killingLease(lease, at)] }, value: null };
    });
  }
  return count;
}

async function searchFirst(ledger: Writing['ledger'], store: Writing['store'], at: number): Promise<void> {
  for (const id of await store.messagesWaiting()) {
    await decideAndCommit(ledger, async (): Promise<Decision<null>> => {
      const message = await ledger.message(id);
      if (message === null || message.state !== 'waiting') return { change: null, value: null };
      const since = (message.firstTriedAt ?? message.createdAt) - MARGIN_MS;
      return {
        change: { at, messages: [reviseMessage(message, { firstTriedAt: since, triedBy: null })] },
        value: null,
      };
    });
  }
}

async function sure(committing: Promise<string>): Promise<void> {
  if ((await committing) !== 'committed')
    throw new MintwardenError('state', 'The ledger did not take what was found out.', 'Start again.');
}
