import type { UserId } from '../../domain/ids.ts';
import { isResponse } from '../http/response.ts';
import { filterEvent } from '../filters/event.ts';
import { ALL_TYPES } from '../filters/readable-types.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { AskResult } from '../http/response.ts';
import type { UpstreamRequest } from '../http/call.ts';

const CREATE = '/_matrix/client/v3/rooms/{room}/state/m.room.create/';
const AT_ONCE = 8;

/**
 * The rooms of a filtered `/sync` that are new to the holder and lack their create event. Synapse compares
 * a filter's rooms with the event's own `room_id`, which the create event of a room of version 12 does not
 * have (MSC4291), so it falls out wherever the scope is pushed down.
 * @param whole all rooms are new to the holder; otherwise those the subject has just joined are
 */
export function roomsMissingCreate(sync: JsonObject, whole: boolean, subject: UserId): readonly string[] {
  const join = joinedIn(sync);
  return Object.keys(join).filter((roomId) => !roomId.includes(':') && lacks(join[roomId], whole, subject));
}

/**
 * Asks for the create events of rooms in scope, a few at a time, for who reads those. One that cannot be had
 * is not in the answer.
 */
export async function fetchCreateEvents(
  rooms: readonly string[],
  upstream: (request: UpstreamRequest, timeoutMs: number, maskNotFound: boolean) => Promise<AskResult>,
  timeoutMs: number,
): Promise<ReadonlyMap<string, JsonObject>> {
  const found = new Map<string, JsonObject>();
  const look = async (roomId: string): Promise<void> => {
    const query = [['format', 'event']] as const;
    const reply = await upstream(
      { method: 'GET', path: pathOf(CREATE, { room: roomId }), query },
      timeoutMs,
      true,
    );
    const create = isResponse(reply) ? null : filterEvent(reply.got, roomId, 'around-event', ALL_TYPES);
    if (create !== null) found.set(roomId, create);
  };
  for (let at = 0; at < rooms.length; at += AT_ONCE)
    await Promise.all(rooms.slice(at, at + AT_ONCE).map(look));
  return found;
}

/** A `/sync` with these create events added to the state of their rooms. */
export function addCreateEvents(sync: JsonObject, creates: ReadonlyMap<string, JsonObject>): JsonObject {
  if (creates.size === 0) return sync;
  const join = joinedIn(sync);
  const fixed: Record<string, unknown> = { ...join };
  for (const [roomId, create] of creates) {
    const room = join[roomId];
    if (!isObject(room)) continue;
    const key = stateKey(room);
    fixed[roomId] = { ...room, [key]: { events: [create, ...eventsOf(room[key])] } };
  }
  return { ...sync, rooms: { ...(sync['rooms'] as JsonObject), join: fixed } };
}

function joinedIn(sync: JsonObject): JsonObject {
  const rooms = isObject(sync['rooms']) ? sync['rooms'] : {};
  return isObject(rooms['join']) ? rooms['join'] : {};
}

function stateKey(room: JsonObject): 'state' | 'state_after' {
  return room['state_after'] === undefined ? 'state' : 'state_after';
}

function eventsOf(part: unknown): readonly JsonObject[] {
  return isObject(part) && Array.isArray(part['events']) ? (part['events'] as JsonObject[]) : [];
}

function lacks(room: unknown, whole: boolean, subject: UserId): boolean {
  if (!isObject(room)) return false;
  const events = [...eventsOf(room[stateKey(room)]), ...eventsOf(room['timeline'])];
  if (events.some((event) => event['type'] === 'm.room.create')) return false;
  return whole || events.some((event) => event['type'] === 'm.room.member' && event['state_key'] === subject);
}
