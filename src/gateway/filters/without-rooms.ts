import type { RoomId } from '../../domain/ids.ts';
import { isObject } from './json-shape.ts';

/**
 * A room id, of today's kind (spec 1.19, room version 12) or with a server part. Other words may begin with a
 * `!` too.
 */
const ROOM_ID = /^![A-Za-z0-9_-]{43}$|^![^\s:]+:\S+$/;

/** Whether a text is the id of a room that is not in scope. */
export function isOutside(text: string, rooms: ReadonlySet<RoomId>): boolean {
  return ROOM_ID.test(text) && !rooms.has(text as RoomId);
}

/**
 * JSON without what is kept under, or is, the id of a room outside the scope: whatever type of account data
 * names rooms, in whatever shape. A text that has more in it than the id stays as it is.
 */
export function withoutRooms(value: unknown, rooms: ReadonlySet<RoomId>): unknown {
  const gone = (inner: unknown): boolean => typeof inner === 'string' && isOutside(inner, rooms);
  if (Array.isArray(value))
    return (value as unknown[]).filter((inner) => !gone(inner)).map((inner) => withoutRooms(inner, rooms));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, inner]) => !isOutside(key, rooms) && !gone(inner));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutRooms(inner, rooms)]));
}
