import {
  type Anchor,
  compareWithAnchor,
  isNewerAnchor,
  type OldCopy,
  readAnchor,
} from '../../domain/anchor.ts';
import { CHAIN_START } from '../../domain/audit.ts';
import type { PostedAnchor, AnchorEvent } from '../../ports/anchors.ts';
import { type AnchorParts, lastPosted, reachOf } from './anchor-parts.ts';

/** The generation that a state begins with. */
const FIRST_GENERATION = 1;

/** What comparing the ledger with the control room came to. */
export type Comparison = {
  /**
   * `held`: found now, or found before and not confirmed. `lost`: nothing of an earlier state is here, so
   * nothing can come to life.
   */
  readonly state:
    | { readonly kind: 'well' }
    | { readonly kind: 'held'; readonly copy: OldCopy; readonly isNew: boolean }
    | { readonly kind: 'lost'; readonly anchor: Anchor };
  /**
   * The homeserver has forgotten an event that it had taken from us: it was restored from a backup, or the
   * room was purged.
   */
  readonly homeserverForgot: boolean;
};

/**
 * Compares the ledger with the furthest anchor in the control room. Writes nothing.
 * @throws MintwardenError `homeserver-unreachable` | `homeserver-refused` | `homeserver-invalid-response` | `state`
 */
export async function compareState(parts: AnchorParts): Promise<Comparison> {
  const { ledger, store, anchorage, mac, clock } = parts;
  const events = await anchorage.newest();
  const [before, posted] = await Promise.all([store.oldCopy(), lastPosted(store, anchorage)]);
  const homeserverForgot =
    posted !== null &&
    !events.some(({ eventId }) => eventId === posted.eventId) &&
    !(await anchorage.has(posted.eventId));
  if (before !== null)
    return { state: { kind: 'held', copy: before, isNew: false }, homeserverForgot: false };
  const anchor = furthest(events, (event) => readAnchor(event.content, anchorage.roomId, mac));
  const reach = await reachOf(ledger, store);
  const isCut = !homeserverForgot && isCutOff(events, posted, reach.generation);
  const why = anchor === null ? 'well' : await compareWithAnchor(anchor, reach);
  if (why === 'well' && !isCut) return { state: { kind: 'well' }, homeserverForgot };
  const { grantsEver } = await ledger.counts();
  const found = anchor ??
    posted?.anchor ?? { generation: reach.generation, seq: 0, hash: CHAIN_START, uses: 0, at: 0, live: 0 };
  if (grantsEver === 0) {
    return {
      state: why === 'well' ? { kind: 'well' } : { kind: 'lost', anchor: found },
      homeserverForgot: false,
    };
  }
  const copy = {
    why: why === 'well' ? 'cut' : why,
    anchor: found,
    seq: reach.seq,
    foundAt: clock.now(),
  } as const;
  return { state: { kind: 'held', copy, isNew: true }, homeserverForgot: false };
}

/**
 * Whether an anchor that this state knows nothing of, since it was posted after the last one that it posted,
 * was emptied: a member of the room with the power to remove messages can do that, and an old copy would look
 * like the newest state. A state that another was given up for, and that has posted nothing yet, is left
 * alone: an operator has looked at it.
 */
function isCutOff(events: readonly AnchorEvent[], posted: PostedAnchor | null, generation: number): boolean {
  if (posted === null && generation > FIRST_GENERATION) return false;
  const place = posted === null ? -1 : events.findIndex(({ eventId }) => eventId === posted.eventId);
  const since = place === -1 ? events : events.slice(0, place);
  return since.some(({ content }) => Object.keys(content).length === 0);
}

function furthest(
  events: readonly AnchorEvent[],
  read: (event: AnchorEvent) => Anchor | null,
): Anchor | null {
  return events
    .map(read)
    .reduce(
      (best, each) => (each !== null && (best === null || isNewerAnchor(each, best)) ? each : best),
      null,
    );
}
