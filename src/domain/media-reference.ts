import type { Grant } from './grant.ts';
import type { RoomId } from './ids.ts';
import { isObject, type JsonObject } from './json.ts';
import { type MediaAddress, parseMediaAddress } from './media-address.ts';

/** An event of a room has a file's address in it. */
export type MediaReference = {
  readonly address: MediaAddress;
  readonly roomId: RoomId;
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | null;
  /** By the homeserver's clock; null: it does not say. */
  readonly sentAt: number | null;
};

/**
 * The keys under which events have addresses: files, their thumbnails, encrypted or not, pictures of rooms
 * and users, stickers, packs of them, galleries, and the same in an edit's new content.
 */
const KEYS = new Set(['url', 'thumbnail_url', 'avatar_url']);
/**
 * What clients copy from the event they answer: with a click on a reaction, or the quotation in a reply,
 * someone else would show what the holder had written.
 */
const COPIED = new Set(['m.relates_to']);
const MAX_DEPTH = 6;
const MAX_VALUES = 500;
/** The homeserver's clock may be that much behind ours. */
const CLOCKS_MS = 120_000;

/** The addresses in one event that was found to be of this room. */
export function mediaReferencesOf(event: unknown, roomId: RoomId): readonly MediaReference[] {
  if (!isObject(event) || !isObject(event['content'])) return [];
  const addresses = addressesIn(event['content']);
  if (addresses === null) return [];
  const { type, sender, state_key: key, origin_server_ts: at } = event;
  if (typeof type !== 'string' || typeof sender !== 'string') return [];
  const from = {
    roomId,
    type,
    sender,
    stateKey: typeof key === 'string' ? key : null,
    sentAt: typeof at === 'number' ? at : null,
  };
  return [...addresses].map((address) => ({ address, ...from }));
}

function addressesIn(content: JsonObject): ReadonlySet<MediaAddress> | null {
  let found: Set<MediaAddress> | null = null;
  let values = 0;
  const visit = (value: object, depth: number): void => {
    for (const key in value) {
      if (++values > MAX_VALUES) return;
      const inner: unknown = (value as JsonObject)[key];
      if (typeof inner === 'string') {
        if (!inner.startsWith('mxc:') || !KEYS.has(key)) continue;
        const address = parseMediaAddress(inner);
        if (address !== null) (found ??= new Set()).add(address);
      } else if (typeof inner === 'object' && inner !== null && depth < MAX_DEPTH && !COPIED.has(key))
        visit(inner, depth + 1);
    }
  };
  visit(content, 1);
  return found;
}

/**
 * Whether the event opens what it shows. One that the holder may have written does not, or posting a known
 * address would open it: what the subject sent, or what stands there about them (an invitation has the
 * picture that the invited person set), since the grant was made. By the homeserver's clock, so that nothing
 * has to be remembered; the subject's own later pictures are the price.
 */
export function grantsAccess(showing: MediaReference, { subject, createdAt }: Grant): boolean {
  const own = showing.sender === subject || showing.stateKey === subject;
  return !own || (showing.sentAt !== null && showing.sentAt < createdAt - CLOCKS_MS);
}
