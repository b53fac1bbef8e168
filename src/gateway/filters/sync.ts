import type { RoomId } from '../../domain/ids.ts';
import { shownEvents, shownStripped } from './event.ts';
import { accountPersonal, type Personal, roomPersonal } from './sync-personal.ts';
import { type Readable, readableIn } from './readable.ts';
import type { Sight } from './sight.ts';
import {
  isObject,
  type JsonObject,
  maybeList,
  maybeObject,
  needObject,
  needText,
  pick,
  type Shape,
} from './shown.ts';

const SUMMARY: Shape = {
  'm.heroes': 'texts',
  'm.joined_member_count': 'count',
  'm.invited_member_count': 'count',
};

/** A filtered `/sync`, and whether there is news in it. */
export type ShownSync = { readonly body: JsonObject; readonly nextBatch: string; readonly news: boolean };

/**
 * The rooms an answer says the subject is in or invited to: for a scope that can grow, an unknown one is
 * reason to look again.
 */
export function roomsOfSync(body: unknown): string[] {
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
export function shownSync(
  answer: unknown,
  scope: ReadonlySet<RoomId>,
  empty: boolean,
  sight: Sight,
): ShownSync {
  const body = needObject(answer, 'sync');
  const nextBatch = needText(body['next_batch'], 'next_batch');
  const rooms = maybeObject(body['rooms'], 'rooms');
  const readable = readableIn(sight.scope);
  const join = section(rooms['join'], 'join', scope, (room, id) =>
    joined(room, id, empty, readable, roomPersonal(room, scope, sight)),
  );
  const leave = section(rooms['leave'], 'leave', scope, (room, id) =>
    joined(room, id, empty, readable, roomPersonal(room, scope, sight)),
  );
  const invite = section(rooms['invite'], 'invite', scope, (room, id) =>
    stripped(room, id, readable, 'invite_state'),
  );
  const knock = section(rooms['knock'], 'knock', scope, (room, id) =>
    stripped(room, id, readable, 'knock_state'),
  );
  const own = accountPersonal(body, scope, sight);
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
  for (const [roomId, room] of Object.entries(maybeObject(value, what))) {
    if (!scope.has(roomId as RoomId)) continue;
    const one = show(needObject(room, what), roomId);
    if (one !== null) shown.push([roomId, one]);
  }
  return Object.fromEntries(shown);
}

function joined(
  room: JsonObject,
  roomId: string,
  empty: boolean,
  readable: Readable,
  personal: Personal,
): JsonObject | null {
  const timeline = maybeObject(room['timeline'], 'timeline');
  // Who is there, and how many: what member events say.
  const summary = readable.has('m.room.member') ? pick(maybeObject(room['summary'], 'summary'), SUMMARY) : {};
  const events = eventsIn(timeline, roomId, readable);
  const before = room['state_after'] === undefined ? 'state' : 'state_after';
  const state = eventsIn(maybeObject(room[before], before), roomId, readable);
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

function eventsIn(part: JsonObject, roomId: string, readable: Readable): JsonObject[] {
  return shownEvents(maybeList(part['events'], 'events'), roomId, 'around-event', readable);
}

function stripped(
  room: JsonObject,
  roomId: string,
  readable: Readable,
  key: 'invite_state' | 'knock_state',
): JsonObject {
  return {
    [key]: {
      events: shownStripped(maybeList(maybeObject(room[key], key)['events'], 'events'), roomId, readable),
    },
  };
}
