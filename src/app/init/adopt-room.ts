import { MintwardenError } from '../../domain/errors.ts';
import { parseRoomAlias, parseRoomId, type RoomId, type UserId } from '../../domain/ids.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { toControlRoom } from '../../matrix/control-room.ts';
import { HomeserverRefusal } from '../../matrix/homeserver-errors.ts';
import { createHomeserverClient, objectAt, path, stringAt } from '../../matrix/homeserver.ts';
import { toRoomState } from '../../matrix/room-state.ts';

const NEXT =
  'Fix that in the room’s settings and run this again, or leave --control-room out: then one is made.';

/** A room by its id or its address. @throws MintwardenError `usage` | `not-found` */
export async function resolveRoom(text: string, homeserverUrl: string, adminToken: string): Promise<RoomId> {
  const roomId = parseRoomId(text);
  if (roomId !== null) return roomId;
  const alias = parseRoomAlias(text);
  if (alias === null)
    throw new MintwardenError(
      'usage',
      `"${text}" is no room.`,
      'Give its id (!…) or its address (#…:…); mind the quotes of your shell.',
    );
  const homeserver = createHomeserverClient({ homeserverUrl, accessToken: adminToken });
  const answer = await homeserver.request('GET', path`/directory/room/${alias}`).catch((error: unknown) => {
    if (error instanceof HomeserverRefusal && error.status === 404) return {};
    throw error;
  });
  const found = parseRoomId(stringAt(answer, 'room_id') ?? '');
  if (found === null)
    throw new MintwardenError(
      'not-found',
      `There is no room ${text}.`,
      'Look for a typing mistake, or give its id (!…).',
    );
  return found;
}

/**
 * Whether a room that is there can be the control room: encrypted, by invitation, for its members alone, and
 * the bot could speak in it. Changes nothing.
 * @returns whether the bot is in it
 * @throws MintwardenError `room-unusable` that names everything in the way
 */
export async function checkAdoptable(admin: AdminApi, roomId: RoomId, botUserId: UserId): Promise<boolean> {
  const events = await admin.roomState(roomId);
  if (events === null || events.length === 0)
    throw new MintwardenError(
      'room-unusable',
      `The homeserver does not know the room ${roomId}.`,
      'Look for a typing mistake.',
    );
  const state = toRoomState(events);
  const room = toControlRoom(roomId, state, botUserId);
  const powers = state.content('m.room.power_levels');
  const level = (value: unknown, otherwise: number): number =>
    typeof value === 'number' ? value : otherwise;
  const own = level(objectAt(powers, 'users')[botUserId], level(powers['users_default'], 0));
  const wrong = [
    ...(state.event('m.room.tombstone') === null ? [] : ['it was replaced by another room']),
    ...(room.encrypted ? [] : ['it is not encrypted']),
    ...(['invite', 'private'].includes(room.joinRule)
      ? []
      : [`it can be joined without an invitation (${room.joinRule})`]),
    ...(room.guestsAllowed ? ['guests may join it'] : []),
    ...(room.worldReadable ? ['anyone can read its history'] : []),
    ...(state.membershipOf(botUserId) === 'ban' ? [`${botUserId} is banned from it`] : []),
    ...(own < level(powers['events_default'], 0) ? [`${botUserId} may not speak in it`] : []),
  ];
  if (wrong.length === 0) return room.botJoined;
  throw new MintwardenError(
    'room-unusable',
    `${roomId} cannot be the control room: ${wrong.join('; ')}.`,
    NEXT,
  );
}

/**
 * Lets the bot join a room that is there: by the invitation it has, or one by the administrator whose token
 * we have.
 */
export async function joinAdoptedRoom(parts: {
  readonly homeserverUrl: string;
  readonly adminToken: string;
  readonly botToken: string;
  readonly botUserId: UserId;
  readonly roomId: RoomId;
}): Promise<void> {
  const { homeserverUrl, roomId, botUserId } = parts;
  const bot = createHomeserverClient({ homeserverUrl, accessToken: parts.botToken });
  const join = (): Promise<boolean> =>
    isPermitted(() => bot.request('POST', path`/join/${roomId}`, { body: {} }));
  if (await join()) return;
  const administrator = createHomeserverClient({ homeserverUrl, accessToken: parts.adminToken });
  await isPermitted(() =>
    administrator.request('POST', path`/rooms/${roomId}/invite`, { body: { user_id: botUserId } }),
  );
  if (await join()) return;
  throw new MintwardenError(
    'room-unusable',
    `${botUserId} may not join ${roomId}: nobody has invited it.`,
    `Invite ${botUserId} there and run this again: it goes on where it was.`,
  );
}

async function isPermitted(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (error instanceof HomeserverRefusal && error.status === 403) return false;
    throw error;
  }
}
