import type { RoomId } from '../../domain/ids.ts';
import { filterEvents, filterStrippedState } from '../filters/event.ts';
import { type ReadableTypes, readableTypesOf } from '../filters/readable-types.ts';
import type { ReadView } from '../filters/read-view.ts';
import {
  isObject,
  type JsonObject,
  optionalArray,
  optionalObject,
  requireObject,
  requireString,
  pick,
  type Shape,
} from '../filters/json-shape.ts';

/** What says something of the answer. */
const OF_ANSWER: Shape = { initial: 'flag', expanded_timeline: 'flag', unstable_expanded_timeline: 'flag' };
/**
 * What says something of the room itself. `is_dm`, unread counts and what else is the subject's own is not
 * among it.
 */
const FACTS: Shape = {
  ...OF_ANSWER,
  name: 'text',
  avatar: 'text',
  joined_count: 'count',
  invited_count: 'count',
};
/** What comes beside news, and is none by itself. */
const BESIDE_SOME: Shape = { prev_batch: 'text', limited: 'flag', membership: 'text' };
/** The same, with what counts events of every type. */
const BESIDE: Shape = { ...BESIDE_SOME, num_live: 'count', bump_stamp: 'count' };
const HERO: Shape = { user_id: 'text', displayname: 'text', avatar_url: 'text' };

/** The rooms of a sliding sync as a member of only these would see them, and whether there is news in it. */
export type ShownSliding = { readonly pos: string; readonly rooms: JsonObject; readonly news: boolean };

/**
 * Reads the homeserver's answer. Its lists are not looked at: ours are made of the scope. Names, pictures,
 * heroes and counts are made of state of many types, and are there for who reads every type.
 * @throws MintwardenError `homeserver-invalid-response`
 */
export function shownSliding(answer: unknown, scope: ReadonlySet<RoomId>, view: ReadView): ShownSliding {
  const readable = readableTypesOf(view.scope);
  const body = requireObject(answer, 'sliding sync');
  const pos = requireString(body['pos'], 'pos');
  const rooms: [string, JsonObject][] = [];
  for (const [roomId, room] of Object.entries(optionalObject(body['rooms'], 'rooms'))) {
    if (!scope.has(roomId as RoomId)) continue;
    const shown = shownRoom(requireObject(room, 'room'), roomId, readable);
    if (shown !== null) rooms.push([roomId, shown]);
  }
  return { pos, rooms: Object.fromEntries(rooms), news: rooms.length > 0 };
}

/** Null: nothing in it but what is the subject's own; that it came, and when, is theirs too. */
function shownRoom(room: JsonObject, roomId: string, readable: ReadableTypes): JsonObject | null {
  const facts = pick(room, readable.all ? FACTS : OF_ANSWER);
  const heroes =
    readable.all && Array.isArray(room['heroes'])
      ? (room['heroes'] as unknown[]).filter(isObject).map((hero) => pick(hero, HERO))
      : null;
  const timeline = filterEvents(
    optionalArray(room['timeline'], 'timeline'),
    roomId,
    'around-event',
    readable,
  );
  const state = filterEvents(
    optionalArray(room['required_state'], 'required_state'),
    roomId,
    'around-event',
    readable,
  );
  const stripped = strippedOf(room, roomId, readable);
  const quiet =
    Object.keys(facts).length === 0 &&
    heroes === null &&
    timeline.length === 0 &&
    state.length === 0 &&
    stripped === null;
  if (quiet && room['limited'] !== true) return null;
  return {
    ...facts,
    ...pick(room, readable.all ? BESIDE : BESIDE_SOME),
    ...(heroes === null ? {} : { heroes }),
    ...(stripped === null ? { timeline, required_state: state } : stripped),
  };
}

function strippedOf(room: JsonObject, roomId: string, readable: ReadableTypes): JsonObject | null {
  const key = room['invite_state'] === undefined ? 'stripped_state' : 'invite_state';
  return room[key] === undefined || room[key] === null
    ? null
    : { [key]: filterStrippedState(optionalArray(room[key], key), roomId, readable) };
}
