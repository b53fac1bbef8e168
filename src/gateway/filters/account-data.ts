import { parseEventId, type RoomId } from '../../domain/ids.ts';
import { isObject, type JsonObject, pick } from './json-shape.ts';
import { withoutRooms } from './without-rooms.ts';

/** Tags, each with its order alone (spec 1.19, "Room tagging"). */
export function projectTags(content: JsonObject): JsonObject {
  const tags = isObject(content['tags']) ? content['tags'] : {};
  const shown = Object.entries(tags).flatMap(([tag, set]) => {
    if (!isObject(set)) return [];
    const { order } = set;
    return [[tag, typeof order === 'number' ? { order } : {}] as const];
  });
  return { tags: Object.fromEntries(shown) };
}

/**
 * The content of account data of a type that may be read, as it is shown: without rooms outside the scope.
 */
export function projectAccountData(
  type: string,
  content: JsonObject,
  rooms: ReadonlySet<RoomId>,
): JsonObject {
  switch (type) {
    case 'm.tag':
      return projectTags(content);
    case 'm.fully_read': {
      const { event_id: eventId } = content;
      return typeof eventId === 'string' && parseEventId(eventId) !== null ? { event_id: eventId } : {};
    }
    case 'm.marked_unread':
    case 'com.famedly.marked_unread':
      return pick(content, { unread: 'flag' });
    default: {
      const shown = withoutRooms(content, rooms);
      return isObject(shown) ? shown : {};
    }
  }
}
