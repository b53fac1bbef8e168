import type { RoomId } from '../../domain/ids.ts';
import { filterEvents, filterStrippedState } from './event.ts';
import { filterAccountPersonalData, type PersonalSections, filterRoomPersonalData } from './sync-personal.ts';
import { type ReadableTypes, readableTypesOf } from './readable-types.ts';
import type { ReadView } from './read-view.ts';
import {
  isObject,
  type JsonObject,
  optionalArray,
  optionalObject,
  requireObject,
  requireString,
  pick,
  type Shape,
} from './json-shape.ts';

const SUMMARY: Shape = {
  'm.heroes': 'texts',
  'm.joined_member_count': 'count',
  'm.invited_member_count': 'count',
};

/** A filtered `/sync`, and whether there is news in it. */
export type FilteredSync = { readonly body: JsonObject; readonly nextBatch: string; readonly news: boolean };

/**
 * The rooms an answer says the subject is in or invited to: for a scope that can grow, an unknown one is
 * reason to look again.
 */
export function roomIdsInSync(body: unknown): string[] {
  const rooms = isObject(body) && isObject(body['rooms']) ? body['rooms'] : {};
  return [rooms['join'], rooms['invite']].flatMap((section) =>
    isObject(section) ? Object.keys(section) : [],
  );
}

/**
 * A `/sync` as a member of only these rooms would see it. What is the subject's own (account data of both
 * kinds, presence, unread counts), and typing and receipts, are there as far as a capability opens them;
 * to-device messages, device lists and key counts never. Of events, those of types that the scope reads.
 * @param empty keep rooms with nothing in them, as in a first answer
 * @throws MintwardenError `homeserver-nonsense`
 */
export function filterSync(
  answer: unknown,
  scope: ReadonlySet<RoomId>,
  empty: boolean,
  view: ReadView,
): FilteredSync {
  const body = requireObject(answer, 'sync');
  const nextBatch = requireString(body['next_batch'], 'next_batch');
  const rooms = optionalObject(body['rooms'], 'rooms');
  const readable = readableTypesOf(view.scope);
  const join = section(rooms['join'], 'join', scope, (room, id) =>
    joined(room, id, empty, readable, filterRoomPersonalData(room, scope, view)),
  );
  const leave = section(rooms['leave'], 'leave', scope, (room, id) =>
    joined(room, id, empty, readable, filterRoomPersonalData(room, scope, view)),
  );
  const invite = section(rooms['invite'], 'invite', scope, (room, id) =>
    stripped(room, id, readable, 'invite_state'),
  );
  const knock = section(rooms['knock'], 'knock', scope, (room, id) =>
    stripped(room, id, readable, 'knock_state'),
  );
  const own = filterAccountPersonalData(body, scope, view);
  const news = own.news || [join, leave, invite, knock].some((rooms) => Object.keys(rooms).length > 0);
  return {
    body: { next_batch: nextBatch, ...own.sections, rooms: { join, invite, leave, knock } },
    nextBatch,
    news,
  };
}

function section(
  value: unknown,
  what: string,
  scope: ReadonlySet<RoomId>,
  show: (room: JsonObject, roomId: string) => JsonObject | null,
): JsonObject {
  const shown: [string, JsonObject][] = [];
  for (const [roomId, room] of Object.entries(optionalObject(value, what))) {
    if (!scope.has(roomId as RoomId)) continue;
    const one = show(requireObject(room, what), roomId);
    if (one !== null) shown.push([roomId, one]);
  }
  return Object.fromEntries(shown);
}

function joined(
  room: JsonObject,
  roomId: string,
  empty: boolean,
  readable: ReadableTypes,
  personal: PersonalSections,
): JsonObject | null {
  const timeline = optionalObject(room['timeline'], 'timeline');
  // Who is there, and how many: what member events say.
  const summary = readable.has('m.room.member')
    ? pick(optionalObject(room['summary'], 'summary'), SUMMARY)
    : {};
  const events = eventsIn(timeline, roomId, readable);
  const before = room['state_after'] === undefined ? 'state' : 'state_after';
  const state = eventsIn(optionalObject(room[before], before), roomId, readable);
  const quiet =
    events.length === 0 &&
    state.length === 0 &&
    timeline['limited'] !== true &&
    Object.keys(summary).length === 0;
  // An entry with nothing left held only what is the subject's own and not granted; that it came, and when,
  // is theirs too.
  if (quiet && !personal.news && !empty) return null;
  return {
    timeline: { ...pick(timeline, { limited: 'flag', prev_batch: 'text' }), events },
    [before]: { events: state },
    summary,
    ...personal.sections,
  };
}

function eventsIn(part: JsonObject, roomId: string, readable: ReadableTypes): JsonObject[] {
  return filterEvents(optionalArray(part['events'], 'events'), roomId, 'around-event', readable);
}

function stripped(
  room: JsonObject,
  roomId: string,
  readable: ReadableTypes,
  key: 'invite_state' | 'knock_state',
): JsonObject {
  return {
    [key]: {
      events: filterStrippedState(
        optionalArray(optionalObject(room[key], key)['events'], 'events'),
        roomId,
        readable,
      ),
    },
  };
}
