import { parseRoomId, type RoomId } from '../domain/ids.ts';
import type { ControlRoomState } from '../ports/chat.ts';
import { HomeserverRefusal, isForbidden, isNotFound } from './homeserver-errors.ts';
import { objectAt, path, stringAt, type HomeserverClient } from './homeserver.ts';
import { MEGOLM, readRoomState, type RoomState } from './room-state.ts';

/** Bounds the walk over rooms that replaced each other, since the chain is other people's data. */
const MAX_PREDECESSORS = 50;

/** See `Chat.controlRoom`. Where the bot is not in it, nothing is known and the worst is assumed. */
export async function readControlRoom(
  homeserver: HomeserverClient,
  roomId: RoomId,
  botId: string,
): Promise<ControlRoomState> {
  try {
    return toControlRoom(roomId, await readRoomState(homeserver, roomId), botId);
  } catch (error) {
    if (!isForbidden(error) && !isNotFound(error)) throw error;
    const unknown = {
      botJoined: false,
      encrypted: false,
      joinRule: 'unknown',
      guestsAllowed: true,
      worldReadable: true,
    };
    return { roomId, ...unknown, joined: [], invited: [], replacedBy: null };
  }
}

/** What the state says, with the specification's defaults for what is absent. */
export function toControlRoom(roomId: RoomId, state: RoomState, botId: string): ControlRoomState {
  const replacedBy = parseRoomId(stringAt(state.content('m.room.tombstone'), 'replacement_room') ?? '');
  return {
    roomId,
    botJoined: state.membershipOf(botId) === 'join',
    encrypted: state.encryption === MEGOLM,
    joinRule: stringAt(state.content('m.room.join_rules'), 'join_rule') ?? 'invite',
    guestsAllowed: stringAt(state.content('m.room.guest_access'), 'guest_access') === 'can_join',
    worldReadable:
      stringAt(state.content('m.room.history_visibility'), 'history_visibility') === 'world_readable',
    joined: state.members('join'),
    invited: state.members('invite'),
    replacedBy: replacedBy === roomId ? null : replacedBy,
  };
}

/** See `Chat.controlRoomPredecessors`. A room the bot cannot look into still counts, as the last one. */
export async function readPredecessors(
  homeserver: HomeserverClient,
  roomId: RoomId,
): Promise<readonly RoomId[]> {
  const found: RoomId[] = [];
  let at: RoomId = roomId;
  while (found.length < MAX_PREDECESSORS) {
    const create = await homeserver
      .request('GET', path`/rooms/${at}/state/m.room.create/`)
      .catch((error: unknown) => {
        if (isForbidden(error) || isNotFound(error)) return {};
        throw error;
      });
    const before = parseRoomId(stringAt(objectAt(create, 'predecessor'), 'room_id') ?? '');
    if (before === null || before === roomId || found.includes(before)) return found;
    found.push(before);
    at = before;
  }
  return found;
}

/**
 * Accepts the invitation to the control room, the only one the bot accepts. Not being invited is no error
 * here.
 */
export async function joinControlRoom(homeserver: HomeserverClient, roomId: RoomId): Promise<void> {
  try {
    await homeserver.request('POST', path`/join/${roomId}`, { body: {} });
  } catch (error) {
    if (
      !(error instanceof HomeserverRefusal) ||
      error.code !== 'homeserver-refused' ||
      error.errcode === 'M_UNKNOWN_TOKEN'
    )
      throw error;
  }
}
