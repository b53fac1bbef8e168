import type { UserId } from '../../domain/ids.ts';
import { isAnswer } from '../answer.ts';
import { shownEvent } from '../filters/event.ts';
import { isObject, type JsonObject } from '../filters/shown.ts';
import { pathOf } from '../rewrite/path.ts';
import type { Upstreamer } from './upstream-call.ts';

const CREATE = '/_matrix/client/v3/rooms/{room}/state/m.room.create/';
const AT_ONCE = 8;

/**
 * Adds the create event to the rooms of a filtered `/sync` that are new to the holder and lack it. Synapse
 * compares a filter's rooms with the event's own `room_id`, which the create event of a room of version 12
 * does not have (MSC4291), so it falls out wherever the scope is pushed down.
 * @param whole all rooms are new to the holder; otherwise those the subject has just joined are
 */
export async function withCreateEvents(
  sync: JsonObject,
  whole: boolean,
  subject: UserId,
  upstream: Upstreamer,
  timeoutMs: number,
): Promise<JsonObject> {
  const rooms = isObject(sync['rooms']) ? sync['rooms'] : {};
  const join = isObject(rooms['join']) ? rooms['join'] : {};
  const lacking = Object.keys(join).filter((roomId) => !roomId.includes(':') && lacks(join[roomId], whole, subject));
  if (lacking.length === 0) return sync;
  const mended: Record<string, unknown> = { ...join };
  for (let at = 0; at < lacking.length; at += AT_ONCE) {
    const some = lacking.slice(at, at + AT_ONCE);
    await Promise.all(some.map(async (room) => void (mended[room] = await mend(room, join[room], upstream, timeoutMs))));
  }
  return { ...sync, rooms: { ...rooms, join: mended } };
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

async function mend(roomId: string, room: unknown, upstream: Upstreamer, timeoutMs: number): Promise<unknown> {
  if (!isObject(room)) return room;
  const query = [['format', 'event']] as const;
  const reply = await upstream({ method: 'GET', path: pathOf(CREATE, { room: roomId }), query }, timeoutMs, true);
  const create = isAnswer(reply) ? null : shownEvent(reply.got, roomId, 'around-event');
  if (create === null) return room;
  const key = stateKey(room);
  return { ...room, [key]: { events: [create, ...eventsOf(room[key])] } };
}
