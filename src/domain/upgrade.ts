import { parseRoomId, type RoomId } from './ids.ts';

function field(content: unknown, key: string): unknown {
  return typeof content === 'object' && content !== null && Object.hasOwn(content, key)
    ? Reflect.get(content, key)
    : undefined;
}

/**
 * The room that replaces this one, where both sides say so: its tombstone names the new room, and the new
 * room's create event names this one as its predecessor (spec "Room Upgrades"). Either alone can be claimed
 * by somebody who has no say in the other room. Null: none, or they do not agree.
 * @param tombstone content of `m.room.tombstone` in the old room
 * @param create content of `m.room.create` in the room that the tombstone names
 */
export function replacementOf(roomId: RoomId, tombstone: unknown, create: unknown): RoomId | null {
  const named = field(tombstone, 'replacement_room');
  const successor = typeof named === 'string' ? parseRoomId(named) : null;
  if (successor === null || successor === roomId) return null;
  return field(field(create, 'predecessor'), 'room_id') === roomId ? successor : null;
}
