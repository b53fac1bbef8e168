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
export const MEDIA_KEYS: ReadonlySet<string> = new Set(['url', 'thumbnail_url', 'avatar_url']);
/**
 * What clients copy from the event they answer: with a click on a reaction, or the quotation in a reply,
 * someone else would show what the holder had written.
 */
export const COPIED_KEY = 'm.relates_to';
/** How deep in the content, and among how many of its values, addresses are looked for. */
export const MAX_MEDIA_DEPTH = 6;
export const MAX_MEDIA_VALUES = 500;
/** How many references of one answer are remembered. */
export const MAX_REFERENCES = 2_000;
/** The homeserver's clock may be that much behind ours. */
const CLOCKS_MS = 120_000;

/** The addresses in one event that was found to be of this room. */
export function mediaReferencesOf(event: unknown, roomId: RoomId): readonly MediaReference[] {
  if (!isObject(event) || !isObject(event['content'])) return [];
  const addresses = mediaAddressesIn(event['content']);
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

/** The addresses in an event's content; null: none. */
export function mediaAddressesIn(content: JsonObject): ReadonlySet<MediaAddress> | null {
  let found: Set<MediaAddress> | null = null;
  let values = 0;
  const visit = (value: object, depth: number): void => {
    for (const key in value) {
      if (++values > MAX_MEDIA_VALUES) return;
      const inner: unknown = (value as JsonObject)[key];
      if (typeof inner === 'string') {
        if (!inner.startsWith('mxc:') || !MEDIA_KEYS.has(key)) continue;
        const address = parseMediaAddress(inner);
        if (address !== null) (found ??= new Set()).add(address);
      } else if (typeof inner === 'object' && inner !== null && depth < MAX_MEDIA_DEPTH && key !== COPIED_KEY)
        visit(inner, depth + 1);
    }
  };
  visit(content, 1);
  return found;
}

/** Adds what an event that is shown refers to, and the events that are bundled in it. */
export function addMediaReferences(event: unknown, roomId: RoomId, found: MediaReference[]): void {
  if (!isObject(event) || found.length >= MAX_REFERENCES) return;
  for (const reference of mediaReferencesOf(event, roomId)) found.push(reference);
  const { unsigned } = event;
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined;
  if (!isObject(relations)) return;
  addMediaReferences(relations['m.replace'], roomId, found);
  if (isObject(relations['m.thread']))
    addMediaReferences(relations['m.thread']['latest_event'], roomId, found);
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
