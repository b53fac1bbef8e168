import { isObject, type JsonObject } from './json-shape.ts';

/** An event refers to media. `uri` begins with `mxc:`; whether it is a proper address is not looked at yet. */
export type EventMedia = {
  readonly uri: string;
  readonly roomId: string;
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

/** The addresses in an event's content, or null where there are none. */
export function mediaUrisIn(content: JsonObject): ReadonlySet<string> | null {
  let found: Set<string> | null = null;
  let values = 0;
  const visit = (value: object, depth: number): void => {
    for (const key in value) {
      if (++values > MAX_MEDIA_VALUES) return;
      const inner: unknown = (value as JsonObject)[key];
      if (typeof inner === 'string') {
        if (inner.startsWith('mxc:') && MEDIA_KEYS.has(key)) (found ??= new Set()).add(inner);
      } else if (typeof inner === 'object' && inner !== null && depth < MAX_MEDIA_DEPTH && key !== COPIED_KEY)
        visit(inner, depth + 1);
    }
  };
  visit(content, 1);
  return found;
}

/** What an event that is shown refers to, and those that are bundled in it. */
export function eventMediaIn(event: unknown, roomId: string, found: EventMedia[]): void {
  if (!isObject(event) || found.length >= MAX_REFERENCES) return;
  const { type, sender, content, state_key: stateKey, origin_server_ts: at, unsigned } = event;
  if (isObject(content) && typeof type === 'string' && typeof sender === 'string') {
    for (const uri of mediaUrisIn(content) ?? [])
      found.push({
        uri,
        roomId,
        type,
        sender,
        stateKey: typeof stateKey === 'string' ? stateKey : null,
        sentAt: typeof at === 'number' ? at : null,
      });
  }
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined;
  if (!isObject(relations)) return;
  eventMediaIn(relations['m.replace'], roomId, found);
  const thread = relations['m.thread'];
  if (isObject(thread)) eventMediaIn(thread['latest_event'], roomId, found);
}
