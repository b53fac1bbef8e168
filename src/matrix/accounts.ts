import { parseRoomId, type RoomId, type UserId } from '../domain/ids.ts';
import { RESTRICTED_POWER_LEVELS } from './dm-room.ts';
import { invalidResponse } from './homeserver-errors.ts';
import {
  createHomeserverClient,
  objectAt,
  path,
  stringAt,
  type HomeserverClient,
  type JsonObject,
} from './homeserver.ts';
import { roomsCreatedBy } from './created-rooms.ts';
import { MEGOLM, readRoomState } from './room-state.ts';

/** In the creation content of a control room made by `createControlRoom`. */
const CONTROL_ROOM_KEY = 'org.mintwarden.control';

/**
 * The bot's control room: private, encrypted, by invitation, in which the admins have the bot's power, so
 * that it survives the bot. Found again by its marker where it was made before; admins who are not in it are
 * then invited.
 */
export async function createControlRoom(options: {
  readonly homeserverUrl: string;
  readonly accessToken: string;
  readonly userId: string;
  readonly admins: readonly UserId[];
  readonly name: string;
}): Promise<RoomId> {
  const { admins, name, userId } = options;
  const homeserver = createHomeserverClient(options);
  const found = await findControlRoom(homeserver, userId);
  if (found !== null) {
    await inviteMissing(homeserver, found, admins);
    return found;
  }
  const version = await defaultRoomVersion(homeserver);
  const answer = await homeserver.request('POST', path`/createRoom`, {
    body: controlRoomCreationBody(name, userId, admins, version),
    timeoutMs: 60_000,
  });
  const roomId = parseRoomId(stringAt(answer, 'room_id') ?? '');
  if (roomId === null) throw invalidResponse('no room id');
  return roomId;
}

/**
 * The body of `POST /createRoom`. From room version 12 on, creators stand in no power levels and a second one
 * is named apart (MSC4289).
 */
export function controlRoomCreationBody(
  name: string,
  userId: string,
  admins: readonly UserId[],
  roomVersion: number,
): JsonObject {
  const [first, ...others] = admins.filter((admin) => admin !== userId);
  const withCreators = roomVersion >= 12;
  const powerful = withCreators ? others : [userId, ...(first === undefined ? [] : [first]), ...others];
  return {
    preset: 'private_chat',
    visibility: 'private',
    name,
    invite: first === undefined ? [] : [first, ...others],
    creation_content: {
      [CONTROL_ROOM_KEY]: true,
      ...(withCreators && first !== undefined && { additional_creators: [first] }),
    },
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: MEGOLM } },
      { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'invited' } },
      { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
    ],
    power_level_content_override: {
      ...RESTRICTED_POWER_LEVELS,
      ...(powerful.length > 0 && {
        users: Object.fromEntries(powerful.map((powerfulId) => [powerfulId, 100])),
      }),
    },
  };
}

async function findControlRoom(homeserver: HomeserverClient, userId: string): Promise<RoomId | null> {
  for (const { roomId, create } of await roomsCreatedBy(homeserver, userId)) {
    if (create.content[CONTROL_ROOM_KEY] !== true) continue;
    const state = await readRoomState(homeserver, roomId);
    if (state.event('m.room.tombstone') === null) return roomId;
  }
  return null;
}

async function inviteMissing(
  homeserver: HomeserverClient,
  roomId: RoomId,
  admins: readonly UserId[],
): Promise<void> {
  const state = await readRoomState(homeserver, roomId);
  const present = state.members('join', 'invite', 'ban');
  for (const admin of admins.filter((admin) => !present.includes(admin))) {
    await homeserver.request('POST', path`/rooms/${roomId}/invite`, { body: { user_id: admin } });
  }
}

async function defaultRoomVersion(homeserver: HomeserverClient): Promise<number> {
  const { capabilities } = await homeserver.request('GET', path`/capabilities`);
  const version = Number(stringAt(objectAt(capabilities, 'm.room_versions'), 'default'));
  return Number.isInteger(version) ? version : 1;
}
