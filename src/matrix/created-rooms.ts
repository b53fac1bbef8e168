import { parseRoomId, type RoomId } from '../domain/ids.ts';
import { eventsAt, type RoomEvent } from './events.ts';
import { objectAt, type HomeserverClient } from './homeserver.ts';
import { listJoinedRooms } from './joined-rooms.ts';

/** A room the bot is in, and the event it began with. */
export type CreatedRoom = { readonly roomId: RoomId; readonly create: RoomEvent };

/**
 * The rooms `userId` is in and made, oldest first: by one request, however many there are.
 */
export async function roomsCreatedBy(
  homeserver: HomeserverClient,
  userId: string,
): Promise<readonly CreatedRoom[]> {
  const joined = await listJoinedRooms(homeserver, { state: { types: ['m.room.create'] } });
  const found: CreatedRoom[] = [];
  for (const [id, room] of Object.entries(joined)) {
    const roomId = parseRoomId(id);
    const create = eventsAt(objectAt(room, 'state'), 'events').find(({ type }) => type === 'm.room.create');
    if (roomId !== null && create?.sender === userId) found.push({ roomId, create });
  }
  return found.toSorted((a, b) => a.create.sentAt - b.create.sentAt || (a.roomId < b.roomId ? -1 : 1));
}
