import { MintwardenError } from '../domain/errors.ts';
import { parseRoomId, parseUserId, type RoomId, type UserId } from '../domain/ids.ts';
import type { Dm } from '../ports/chat.ts';
import { DM_KEY, dmCreationBody, toDm } from './dm-room.ts';
import { HomeserverRefusal, isForbidden, isNotFound, invalidResponse } from './homeserver-errors.ts';
import { path, stringAt, type HomeserverClient } from './homeserver.ts';
import { INVITES_DISABLED_HINT, isInvitesDisabled } from './invites.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { roomsCreatedBy } from './created-rooms.ts';
import { MEGOLM, readRoomState } from './room-state.ts';

/** The bot's DMs; see `Chat.dm` and `Chat.openDm`. */
export type Dms = {
  find(userId: UserId): Promise<Dm | null>;
  open(userId: UserId, options: { readonly reason: string; readonly encrypted: boolean }): Promise<Dm>;
  /** Whether there is a DM with them, in it or not. */
  hasDm(userId: string): Promise<boolean>;
  rooms(): Promise<readonly RoomId[]>;
  /** Whose DM the room is; null where it is not one of ours. */
  userOf(roomId: string): Promise<UserId | null>;
};

/**
 * DMs by the marker in their create event, which nobody can forge or change. The rooms are listed once, and
 * again whenever it is not known whether the homeserver made one.
 */
export function createDms(homeserver: HomeserverClient, botId: string): Dms {
  const single = createKeyedQueue();
  let listed: Promise<Map<UserId, RoomId>> | null = null;

  function list(): Promise<Map<UserId, RoomId>> {
    listed ??= listDms(homeserver, botId).catch((error: unknown) => {
      listed = null;
      throw error;
    });
    return listed;
  }

  async function roomOf(userId: UserId): Promise<RoomId | null> {
    return (await list()).get(userId) ?? null;
  }

  async function make(userId: UserId, encrypted: boolean): Promise<RoomId> {
    const known = await list();
    try {
      const answer = await homeserver.request('POST', path`/createRoom`, {
        body: dmCreationBody(userId, encrypted),
        timeoutMs: 60_000,
      });
      const roomId = parseRoomId(stringAt(answer, 'room_id') ?? '');
      if (roomId === null) throw invalidResponse('no room id');
      known.set(userId, roomId);
      return roomId;
    } catch (error) {
      listed = null; // it may have been created anyway: look it up before the next attempt
      throw error;
    }
  }

  async function find(userId: UserId): Promise<Dm | null> {
    const roomId = await roomOf(userId);
    if (roomId === null) return null;
    try {
      return toDm(roomId, await readRoomState(homeserver, roomId), botId, userId);
    } catch (error) {
      if (!isForbidden(error) && !isNotFound(error)) throw error;
      (await list()).delete(userId); // the bot was put out of it, or the room was purged
      return null;
    }
  }

  return {
    find,
    open: (userId, { reason, encrypted }) =>
      single(userId, async () => {
        const roomId = (await find(userId))?.roomId ?? (await make(userId, encrypted));
        const before = toDm(roomId, await readRoomState(homeserver, roomId), botId, userId);
        if (encrypted && !before.encrypted) await encryptRoom(homeserver, roomId);
        if (before.membership === 'leave' || before.membership === 'none')
          await invite(homeserver, roomId, userId, reason);
        if (before.membership === 'ban') throw cannotInvite(userId);
        return toDm(roomId, await readRoomState(homeserver, roomId), botId, userId);
      }),
    hasDm: async (userId) => (await list()).has(userId as UserId),
    rooms: async () => [...(await list()).values()],
    async userOf(roomId) {
      for (const [userId, dm] of await list()) if (dm === roomId) return userId;
      return null;
    },
  };
}

/** The oldest room for each person: where a crash has left two, the same one is taken for ever. */
async function listDms(homeserver: HomeserverClient, botId: string): Promise<Map<UserId, RoomId>> {
  const found = new Map<UserId, RoomId>();
  for (const { roomId, create } of await roomsCreatedBy(homeserver, botId)) {
    const userId = parseUserId(stringAt(create.content, DM_KEY) ?? '');
    if (userId !== null && !found.has(userId)) found.set(userId, roomId);
  }
  return found;
}

/** A room can become encrypted later, never the other way round. */
async function encryptRoom(homeserver: HomeserverClient, roomId: RoomId): Promise<void> {
  await homeserver.request('PUT', path`/rooms/${roomId}/state/m.room.encryption/`, {
    body: { algorithm: MEGOLM },
  });
}

/** As a state event: `/invite` knows no `is_direct`, by which clients tell a DM. */
async function invite(
  homeserver: HomeserverClient,
  roomId: RoomId,
  userId: UserId,
  reason: string,
): Promise<void> {
  try {
    const content = { membership: 'invite', is_direct: true, reason };
    await homeserver.request('PUT', path`/rooms/${roomId}/state/m.room.member/${userId}`, { body: content });
  } catch (error) {
    if (error instanceof HomeserverRefusal && error.errcode === 'M_INVITE_BLOCKED')
      throw blocksInvites(userId, error);
    if (isInvitesDisabled(error))
      throw new MintwardenError(
        'recipient-unusable',
        `The homeserver does not let the bot invite anybody, so ${userId} cannot be told.`,
        INVITES_DISABLED_HINT,
        { cause: error },
      );
    if (error instanceof HomeserverRefusal && (error.status === 403 || error.status === 404))
      throw cannotInvite(userId, error);
    throw error;
  }
}

/** Client-Server API 1.18, `m.invite_permission_config` (MSC4380). */
function blocksInvites(userId: UserId, cause: unknown): MintwardenError {
  return new MintwardenError(
    'recipient-unusable',
    `${userId} blocks invitations in their settings (M_INVITE_BLOCKED).`,
    'They allow invitations in their client’s settings until they have joined the bot’s chat.',
    { cause },
  );
}

function cannotInvite(userId: UserId, cause?: unknown): MintwardenError {
  return new MintwardenError(
    'recipient-unusable',
    `${userId} cannot be invited to a DM by the bot.`,
    'Check that the account exists and is active.',
    { cause },
  );
}
