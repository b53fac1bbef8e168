import type { RoomId } from '../../domain/ids.ts';
import { NOT_FOUND, ok } from '../http/response.ts';
import { isObject, type JsonObject, requireArray, requireObject, pick, type Shape } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

/** `/timestamp_to_event`: an id and a time, nothing of the event. */
export const timestampToEvent: AnswerFilter = (body) => {
  const shown = pick(requireObject(body, 'event'), { event_id: 'text', origin_server_ts: 'count' });
  return shown['event_id'] === undefined ? NOT_FOUND : ok(shown);
};

/** `/aliases`: the room's own names. */
export const aliases: AnswerFilter = (body) =>
  ok({ aliases: requireArray(requireObject(body, 'aliases')['aliases'], 'aliases').filter(isAlias) });

function isAlias(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('#');
}

const SUMMARY: Shape = {
  room_id: 'text',
  name: 'text',
  topic: 'text',
  avatar_url: 'text',
  canonical_alias: 'text',
  num_joined_members: 'count',
  world_readable: 'flag',
  guest_can_join: 'flag',
  join_rule: 'text',
  room_type: 'text',
  room_version: 'text',
  encryption: 'text',
  membership: 'text',
};

/**
 * A room in short (spec 1.19, "PublicRoomsChunk" and "SpaceHierarchyRoomsChunk"); null where it is another
 * room.
 */
export function projectRoomSummary(
  summary: unknown,
  roomId: string,
  rooms: ReadonlySet<RoomId>,
): JsonObject | null {
  if (!isObject(summary) || summary['room_id'] !== roomId) return null;
  const allowed = summary['allowed_room_ids'];
  // The rooms whose members may join: each is a room of its own, and may be outside.
  const inScope = Array.isArray(allowed)
    ? { allowed_room_ids: allowed.filter((room) => rooms.has(room as RoomId)) }
    : {};
  return { ...pick(summary, SUMMARY), ...inScope };
}

/** `/room_summary` of this room. */
export function roomSummaryFilter(roomId: string): AnswerFilter {
  return (body, rooms) => {
    const shown = projectRoomSummary(requireObject(body, 'summary'), roomId, rooms);
    return shown === null ? NOT_FOUND : ok(shown);
  };
}
