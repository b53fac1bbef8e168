import type { Anchor, Mac, LedgerPosition } from '../../domain/anchor.ts';
import type { AnchorRoom, AnchorStore, PostedAnchor } from '../../ports/anchors.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Services } from '../services.ts';

/** What anchors are made of and compared with. */
export type AnchorParts = Pick<Services, 'ledger' | 'clock' | 'random' | 'log'> & {
  readonly store: AnchorStore;
  readonly anchorage: AnchorRoom;
  readonly mac: Mac;
};

/** How far the ledger is now. */
export async function reachOf(
  ledger: Pick<Ledger, 'counts'>,
  store: AnchorStore,
): Promise<LedgerPosition & { readonly anchor: Omit<Anchor, 'at'> }> {
  const [counts, generation, uses] = await Promise.all([
    ledger.counts(),
    store.generation(),
    store.totalUses(),
  ]);
  const { auditRows: seq, auditHead: hash, live } = counts;
  return {
    generation,
    seq,
    uses,
    hashAt: (place) => store.hashAt(place),
    anchor: { generation, seq, hash, uses, live },
  };
}

/**
 * What was posted last in this room. Another control room knows nothing of what was said in the one before.
 */
export async function lastPosted(
  store: Pick<AnchorStore, 'posted'>,
  { roomId }: Pick<AnchorRoom, 'roomId'>,
): Promise<PostedAnchor | null> {
  const posted = await store.posted();
  return posted?.roomId === roomId ? posted : null;
}
