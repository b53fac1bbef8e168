import { parseUserId, type UserId } from '../domain/ids.ts';
import { parseEvent, type RoomEvent } from './events.ts';
import { path, stringAt, type HomeserverClient, type JsonObject } from './homeserver.ts';

/** The one algorithm for rooms there is (Client-Server API, m.room.encryption). */
export const MEGOLM = 'm.megolm.v1.aes-sha2';

/** A room's state at one moment, as the homeserver gives it. */
export type RoomState = {
  event(type: string, stateKey?: string): RoomEvent | null;
  /** The content of a state event; empty where there is none. */
  content(type: string, stateKey?: string): JsonObject;
  members(...memberships: readonly string[]): readonly UserId[];
  membershipOf(userId: string): string;
  /** The algorithm in use; null in a room that is not encrypted. */
  readonly encryption: string | null;
};

/** Asks for a room's whole state now: encryption and members of the same moment. */
export async function readRoomState(homeserver: HomeserverClient, roomId: string): Promise<RoomState> {
  return toRoomState(await homeserver.requestList('GET', path`/rooms/${roomId}/state`));
}

/** The state from its events. An encryption event without an algorithm counts as one we do not know. */
export function toRoomState(events: readonly unknown[]): RoomState {
  const byKey = new Map<string, RoomEvent>();
  for (const raw of events) {
    const event = parseEvent(raw);
    if (event !== null && event.stateKey !== null) byKey.set(`${event.type}\0${event.stateKey}`, event);
  }
  const event = (type: string, stateKey = '') => byKey.get(`${type}\0${stateKey}`) ?? null;
  const encryption = event('m.room.encryption');
  return {
    event,
    content: (type, stateKey) => event(type, stateKey)?.content ?? {},
    members: (...memberships) =>
      [...byKey.values()]
        .filter(
          ({ type, content }) =>
            type === 'm.room.member' && memberships.includes(stringAt(content, 'membership') ?? ''),
        )
        .map(({ stateKey }) => parseUserId(stateKey ?? ''))
        .filter((userId) => userId !== null),
    membershipOf: (userId) => stringAt(event('m.room.member', userId)?.content, 'membership') ?? 'none',
    encryption: encryption === null ? null : (stringAt(encryption.content, 'algorithm') ?? 'unknown'),
  };
}
