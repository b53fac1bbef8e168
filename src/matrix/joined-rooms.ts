import { randomUUID } from 'node:crypto';
import { objectAt, path, type HomeserverClient, type JsonObject } from './homeserver.ts';

/**
 * One look at the rooms the account is in, by a sync without a position: it changes nothing at the
 * homeserver. Gives the joined rooms by id. `room` is a RoomFilter (Client-Server API, Filtering).
 */
export async function listJoinedRooms(homeserver: HomeserverClient, room: JsonObject): Promise<JsonObject> {
  const filter = {
    presence: { not_types: ['*'] },
    account_data: { not_types: ['*'] },
    room: {
      account_data: { not_types: ['*'] },
      ephemeral: { not_types: ['*'] },
      timeline: { limit: 1, not_types: ['*'] },
      // Synapse gives the same answer for two minutes to the same question: a room that does not exist makes
      // it another one.
      not_rooms: [`!${randomUUID()}:nowhere.invalid`],
      ...room,
    },
  };
  const query = { filter: JSON.stringify(filter), timeout: 0, set_presence: 'offline' };
  const answer = await homeserver.request('GET', path`/sync`, { query, timeoutMs: 120_000 });
  return objectAt(objectAt(answer, 'rooms'), 'join');
}
