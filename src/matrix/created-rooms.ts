import { parseRoomId, type RoomId } from '../domain/ids.ts';
import { eventsAt, type RoomEvent } from './events.ts';
import { objectAt, type Homeserver } from './homeserver.ts';
import { look } from './joined-rooms.ts';

/** A room the bot is in, and the event it began with. */
export type OwnRoom = { readonly roomId: RoomId; readonly create: RoomEvent };

/**
 * The rooms `userId` is in and made, oldest first: by one request, however many there are.
 */
export async function roomsMadeBy(homeserver: Homeserver, userId: string): Promise<readonly OwnRoom[]> {
  const joined = await look(homeserver, { state: { types: ['m.room.create'] } });
  const found: OwnRoom[] = [];
  for (const [id, room] of Object.entries(joined)) {
    const roomId = parseRoomId(id);
    const create = eventsAt(objectAt(room, 'state'), 'events').find(({ type }) => type === 'm.room.create');
    if (roomId !== null && create?.sender === userId) found.push({ roomId, create });
  }
  return found.toSorted((a, b) => a.create.sentAt - b.create.sentAt || (a.roomId < b.roomId ? -1 : 1));
}
