import { type Anchor, heldAgainst, isFurther, type OldCopy, readAnchor } from '../../domain/anchor.ts';
import type { RoomAnchor } from '../../ports/anchorage.ts';
import { type AnchorParts, postedHere, reachOf } from './parts.ts';

/** What comparing the ledger with the control room came to. */
export type Compared = {
  /** `held`: found now, or found before and not confirmed. `lost`: nothing of an earlier state is here, so nothing can come to life. */
  readonly state:
    | { readonly kind: 'well' }
    | { readonly kind: 'held'; readonly copy: OldCopy; readonly isNew: boolean }
    | { readonly kind: 'lost'; readonly anchor: Anchor };
  /** The homeserver has forgotten an event that it had taken from us: it was restored from a backup, or the room was purged. */
  readonly homeserverForgot: boolean;
};

/**
 * Compares the ledger with the furthest anchor in the control room. Writes nothing.
 * @throws MintwardenError `homeserver-unreachable` | `homeserver-refused` | `homeserver-nonsense` | `state`
 */
export async function compareState(parts: AnchorParts): Promise<Compared> {
  const { ledger, store, anchorage, mac, clock } = parts;
  const events = await anchorage.newest();
  const [before, posted] = await Promise.all([store.held(), postedHere(store, anchorage)]);
  const homeserverForgot = posted !== null && !events.some(({ eventId }) => eventId === posted.eventId) && !(await anchorage.has(posted.eventId)); // prettier-ignore
  if (before !== null) return { state: { kind: 'held', copy: before, isNew: false }, homeserverForgot: false };
  const anchor = furthest(events, (event) => readAnchor(event.content, anchorage.roomId, mac));
  if (anchor === null) return { state: { kind: 'well' }, homeserverForgot };
  const reach = await reachOf(ledger, store);
  const why = await heldAgainst(anchor, reach);
  if (why === 'well') return { state: { kind: 'well' }, homeserverForgot };
  const { grantsEver } = await ledger.counts();
  if (grantsEver === 0) return { state: { kind: 'lost', anchor }, homeserverForgot: false };
  return { state: { kind: 'held', copy: { why, anchor, seq: reach.seq, foundAt: clock.now() }, isNew: true }, homeserverForgot: false };
}

function furthest(events: readonly RoomAnchor[], read: (event: RoomAnchor) => Anchor | null): Anchor | null {
  return events.map(read).reduce((best, each) => (each !== null && (best === null || isFurther(each, best)) ? each : best), null);
}
