import { isObject, type JsonObject } from '../filters/json-shape.ts';

/** What the content of an event says of other events. */
export type Relations = {
  /** The event this one would replace, by an edit. */
  readonly replaces: string | null;
  /** The event this one reacts to. */
  readonly annotates: string | null;
  /** Every event it names, those two included: all must be in the same room. */
  readonly names: readonly string[];
};

const EVENT_ID = /^\$[A-Za-z0-9_\-+/=.:~]{1,254}$/;
/** Relations that add to a conversation and change nothing of it. */
const HARMLESS = ['m.thread', 'm.reference'];
const MAX_KEY = 200;
/** More people than one message answers to. */
const MAX_MENTIONS = 20;

/** Whether a text may be an event's id. */
export function isEventId(text: unknown): text is string {
  return typeof text === 'string' && EVENT_ID.test(text);
}

/**
 * Reads `m.relates_to` (spec 1.19, "Forming relationships between events"). Null: it is not understood, or
 * is of a kind that is not known to be harmless.
 */
export function relationsOf(content: JsonObject): Relations | null {
  const relates = content['m.relates_to'];
  if (relates === undefined) return { replaces: null, annotates: null, names: [] };
  if (!isObject(relates)) return null;
  const names: string[] = [];
  const reply = relates['m.in_reply_to'];
  if (reply !== undefined) {
    if (!isObject(reply) || !isEventId(reply['event_id'])) return null;
    names.push(reply['event_id']);
  }
  const { rel_type: kind, event_id: target } = relates;
  if (kind === undefined) return target === undefined ? { replaces: null, annotates: null, names } : null;
  if (!isEventId(target)) return null;
  names.push(target);
  if (kind === 'm.replace')
    return isObject(content['m.new_content']) ? { replaces: target, annotates: null, names } : null;
  if (kind === 'm.annotation') return { replaces: null, annotates: target, names };
  return typeof kind === 'string' && HARMLESS.includes(kind)
    ? { replaces: null, annotates: null, names }
    : null;
}

const REACTS_WITH = ['rel_type', 'event_id', 'key'];
const NAMES_OF_KEY = ['shortcode', 'com.beeper.reaction.shortcode'];

/**
 * Whether it is nothing but a reaction: a relation with a short key, and the key's short name. Nothing else
 * finds room in it.
 */
export function isReaction(content: JsonObject): boolean {
  const { 'm.relates_to': relates, ...rest } = content;
  if (!isObject(relates) || !Object.keys(relates).every((name) => REACTS_WITH.includes(name))) return false;
  if (!Object.entries(rest).every(([name, value]) => NAMES_OF_KEY.includes(name) && isShort(value)))
    return false;
  return relates['rel_type'] === 'm.annotation' && isShort(relates['key']);
}

function isShort(text: unknown): boolean {
  return typeof text === 'string' && text !== '' && text.length <= MAX_KEY;
}

/** The content, and what would take its place. */
function layersOf(content: JsonObject): readonly JsonObject[] {
  const replacement = content['m.new_content'];
  return isObject(replacement) ? [content, replacement] : [content];
}

/** The kinds of messages of spec 1.19, "m.room.message msgtypes", that are only shown. */
const SHOWN_MSGTYPES = ['text', 'emote', 'notice', 'image', 'file', 'audio', 'location', 'video'];

/**
 * Whether it is a message of the specification's own kinds that is more than shown: one that begins to verify a
 * device in the subject's name ("Key verification framework"), one that speaks for the homeserver ("Server
 * Notices"), or one that nobody decided about.
 */
export function hasForbiddenMsgtype(content: JsonObject): boolean {
  return layersOf(content).some(
    ({ msgtype }) =>
      typeof msgtype === 'string' && msgtype.startsWith('m.') && !SHOWN_MSGTYPES.includes(msgtype.slice(2)),
  );
}

/**
 * Whether it would make every member's client ring: `m.mentions` with `room`, or, where nothing is said of
 * mentions, `@room` in its text, which older push rules look for (spec 1.19, "User and room mentions"). A
 * list of many people comes to the same. An encrypted event cannot be looked into; it says so in clear or not
 * at all.
 */
export function mentionsRoom(content: JsonObject): boolean {
  return layersOf(content).some((layer) => {
    const mentions = layer['m.mentions'];
    if (mentions === undefined) return typeof layer['body'] === 'string' && /@room/i.test(layer['body']);
    if (!isObject(mentions)) return true;
    const { room, user_ids: users } = mentions;
    return (room !== undefined && room !== false) || (Array.isArray(users) && users.length > MAX_MENTIONS);
  });
}
