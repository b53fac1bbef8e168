import { parseUserId, type RoomId, type UserId } from '../domain/ids.ts';
import type { Dm } from '../ports/chat.ts';
import type { JsonObject } from './homeserver.ts';
import { stringAt } from './homeserver.ts';
import { MEGOLM, type RoomState } from './room-state.ts';

/** In the creation content of a DM of the bot's: whose it is. A create event cannot be changed. */
export const DM_KEY = 'org.mintwarden.dm';

/** Whose DM a room is: only where the bot itself made it. */
export function dmUserOf(state: Pick<RoomState, 'event'>, botId: string): UserId | null {
  const create = state.event('m.room.create');
  if (create === null || create.sender !== botId) return null;
  return parseUserId(stringAt(create.content, DM_KEY) ?? '');
}

/** What the homeserver's state says of a DM. */
export function toDm(roomId: RoomId, state: RoomState, botId: string, userId: UserId): Dm {
  const present = state.members('join', 'invite');
  const membership = state.membershipOf(userId);
  return {
    roomId,
    encrypted: state.encryption === MEGOLM,
    membership:
      membership === 'invite' || membership === 'join' || membership === 'leave' || membership === 'ban'
        ? membership
        : 'none',
    justTheTwo: present.length === 2 && present.includes(botId as UserId) && present.includes(userId),
  };
}

/**
 * The body of `POST /createRoom` for a DM. The other person may talk and leave, nothing else; the bot's own
 * power is the room version's affair (in version 12 its creator stands in no power levels). What is sent
 * while they are invited they can read once they have joined. Nobody is invited yet: an invite made here
 * bears no reason.
 */
export function dmCreationBody(userId: UserId, encrypted: boolean): JsonObject {
  return {
    preset: 'private_chat',
    visibility: 'private',
    is_direct: true,
    creation_content: { [DM_KEY]: userId },
    initial_state: [
      { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'invited' } },
      { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
      ...(encrypted ? [{ type: 'm.room.encryption', state_key: '', content: { algorithm: MEGOLM } }] : []),
    ],
    power_level_content_override: RESTRICTED_POWER_LEVELS,
  };
}

/** Power levels under which an ordinary member can talk and leave. */
export const RESTRICTED_POWER_LEVELS = {
  users_default: 0,
  events_default: 0,
  state_default: 100,
  invite: 100,
  kick: 100,
  ban: 100,
  redact: 100,
  notifications: { room: 100 },
  events: {
    'm.room.power_levels': 100,
    'm.room.encryption': 100,
    'm.room.history_visibility': 100,
    'm.room.join_rules': 100,
    'm.room.guest_access': 100,
    'm.room.server_acl': 100,
    'm.room.tombstone': 100,
  },
} as const;
