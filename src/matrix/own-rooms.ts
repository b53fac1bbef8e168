import { parseRoomId, type RoomId } from '../domain/ids.ts';
import { eventsAt, type RoomEvent } from './events.ts';
import { objectAt, path, type Homeserver } from './homeserver.ts';

/** A room the bot is in, and the event it began with. */
export type OwnRoom = { readonly roomId: RoomId; readonly create: RoomEvent };

const CREATE_EVENTS_ONLY = JSON.stringify({
  presence: { not_types: ['*'] },
  account_data: { not_types: ['*'] },
  room: {
    account_data: { not_types: ['*'] },
    ephemeral: { not_types: ['*'] },
    timeline: { limit: 1, not_types: ['*'] },
    state: { types: ['m.room.create'] },
    include_leave: false,
  },
});

/**
 * The rooms `userId` is in and made, oldest first: by one request, however many there are. A sync without
 * a position changes nothing at the homeserver.
 */
export async function roomsMadeBy(homeserver: Homeserver, userId: string): Promise<readonly OwnRoom[]> {
  const answer = await homeserver.ask('GET', path`/sync`, {
    query: { filter: CREATE_EVENTS_ONLY, timeout: 0, set_presence: 'offline' },
    timeoutMs: 120_000,
  });
  const found: OwnRoom[] = [];
  for (const [id, room] of Object.entries(objectAt(objectAt(answer, 'rooms'), 'join'))) {
    const roomId = parseRoomId(id);
    const create = eventsAt(objectAt(room, 'state'), 'events').find(({ type }) => type === 'm.room.create');
    if (roomId !== null && create?.sender === userId) found.push({ roomId, create });
  }
  return found.toSorted((a, b) => a.create.sentAt - b.create.sentAt || (a.roomId < b.roomId ? -1 : 1));
}
