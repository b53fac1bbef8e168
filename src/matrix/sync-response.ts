import { parseRoomId, type RoomId } from '../domain/ids.ts';
import { eventsAt, type RoomEvent } from './events.ts';
import { isJsonObject, objectAt, stringAt, type JsonObject } from './homeserver.ts';

/** What a sync answer has to say about a room. */
export type RoomUpdate = {
  readonly roomId: RoomId;
  /** State that changed in a gap before the timeline, and then the timeline, in order. */
  readonly state: readonly RoomEvent[];
  readonly timeline: readonly RoomEvent[];
  /** Where the gap before the timeline begins, going back; null where there is none. */
  readonly gapFrom: string | null;
};

const EVENT_TYPES = ['m.room.encrypted', 'm.room.message', 'm.room.member'];

/**
 * The filter of the sync: what the bot acts on, and nothing else. A first sync looks back a little, in case
 * the position was lost.
 */
export const SYNC_FILTER = JSON.stringify({
  presence: { not_types: ['*'] },
  account_data: { not_types: ['*'] },
  room: {
    account_data: { not_types: ['*'] },
    ephemeral: { not_types: ['*'] },
    timeline: { limit: 30, types: EVENT_TYPES },
    state: { types: ['m.room.member'], lazy_load_members: true },
    include_leave: false,
  },
});

/** The same events, for going back through a gap. */
export const GAP_FILTER = { types: EVENT_TYPES };

/** The rooms of a sync answer: joined ones, and ones just left. Invitations are left alone. */
export function roomUpdates(answer: JsonObject): readonly RoomUpdate[] {
  const rooms = objectAt(answer, 'rooms');
  return [...Object.entries(objectAt(rooms, 'join')), ...Object.entries(objectAt(rooms, 'leave'))].flatMap(
    ([id, room]) => {
      const roomId = parseRoomId(id);
      if (roomId === null || !isJsonObject(room)) return [];
      const timeline = objectAt(room, 'timeline');
      return [
        {
          roomId,
          state: eventsAt(objectAt(room, 'state'), 'events'),
          timeline: eventsAt(timeline, 'events'),
          gapFrom: timeline['limited'] === true ? stringAt(timeline, 'prev_batch') : null,
        },
      ];
    },
  );
}
