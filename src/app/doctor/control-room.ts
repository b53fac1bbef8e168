import type { Config } from '../../config/index.ts';
import { parseUserId, type UserId } from '../../domain/ids.ts';
import { powerOf, type RoomPower, parseRoomPower, isWithinPower } from '../../domain/power.ts';
import { toControlRoom } from '../../matrix/control-room.ts';
import { isForbidden, isNotFound } from '../../matrix/homeserver-errors.ts';
import { createHomeserverClient } from '../../matrix/homeserver.ts';
import { readRoomState, type RoomState } from '../../matrix/room-state.ts';
import type { ControlRoomState } from '../../ports/chat.ts';
import { safeInline, shortened } from '../../words/safe-text.ts';
import { fail, type Finding, ok, warn } from './finding.ts';

type RoomConfig = Pick<Config, 'admins' | 'bot' | 'control_room'>;

/**
 * What opens the room to others, shuts the bot out, or shows people something else in its place. The last
 * stands for any other state.
 */
const SENSITIVE_STATE = [
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.guest_access',
  'm.room.history_visibility',
  'm.room.encryption',
  'm.room.server_acl',
  'm.room.tombstone',
  'im.vector.modular.widgets',
] as const;

/** The control room as the bot sees it. */
export async function checkControlRoom(config: Config): Promise<readonly Finding[]> {
  const homeserver = createHomeserverClient({
    homeserverUrl: config.homeserver.url,
    accessToken: config.bot.access_token,
  });
  let state: RoomState;
  try {
    state = await readRoomState(homeserver, config.control_room);
  } catch (error) {
    if (!isForbidden(error) && !isNotFound(error)) throw error;
    return [botAbsent(config)];
  }
  const room = toControlRoom(config.control_room, state, config.bot.user_id);
  if (!room.botJoined) return [botAbsent(config)];
  return [...evaluateControlRoom(config, room), evaluatePower(config, room, readPower(state))];
}

function botAbsent(config: RoomConfig): Finding {
  return fail('control-room', `The bot is not in ${config.control_room}.`, {
    fix: `Invite ${config.bot.user_id} there; it joins by itself while the service runs.`,
  });
}

function readPower(state: RoomState): RoomPower | null {
  const create = state.event('m.room.create');
  const levels = state.event('m.room.power_levels');
  return parseRoomPower(
    create === null
      ? null
      : { type: create.type, state_key: '', sender: create.sender, content: create.content },
    levels?.content ?? null,
  );
}

/** What is wrong with a control room in this state. */
export function evaluateControlRoom(config: RoomConfig, room: ControlRoomState): readonly Finding[] {
  if (!room.botJoined) return [botAbsent(config)];
  const known = new Set<string>([...config.admins, config.bot.user_id]);
  const others = [...room.joined, ...room.invited].filter((userId) => !known.has(userId));
  return [
    ok('control-room', `The bot is in ${room.roomId}, with ${String(room.joined.length - 1)} others.`),
    room.encrypted
      ? ok('control-room-encryption', 'It is encrypted.')
      : fail('control-room-encryption', 'It is not encrypted.'),
    access(room),
    room.worldReadable
      ? fail('control-room-history', 'Its history can be read by anyone.')
      : ok('control-room-history', 'Its history is for its members.'),
    others.length > 0
      ? warn('control-room-members', `In it, or invited, without being admins: ${others.join(', ')}.`)
      : ok('control-room-members', 'Nobody is in it but the admins and the bot.'),
    absentAdmins(config, room),
  ];
}

function access(room: ControlRoomState): Finding {
  if (!['invite', 'private'].includes(room.joinRule))
    return fail(
      'control-room-access',
      `It can be joined without an invitation (${shortened(safeInline(room.joinRule), 40)}).`,
      { fix: 'Set it to "Private (invite only)" in its settings.' },
    );
  if (room.guestsAllowed)
    return fail('control-room-access', 'Guests may join it.', {
      fix: 'Forbid guest access in its settings.',
    });
  return ok('control-room-access', 'It can be entered by invitation alone.');
}

function absentAdmins({ admins }: RoomConfig, room: ControlRoomState): Finding {
  const missing = admins.filter((userId) => !room.joined.includes(userId));
  if (missing.length === 0) return ok('control-room-admins', 'Every admin is in it.');
  const invited = missing.every((userId) => room.invited.includes(userId));
  return warn(
    'control-room-admins',
    `Not in it: ${missing.join(', ')}.`,
    invited ? { fix: 'They are invited: let them accept.' } : {},
  );
}

/** Who may change what matters of the room. @param power null: it cannot be told from the room's state */
export function evaluatePower(
  { admins, bot }: RoomConfig,
  room: Pick<ControlRoomState, 'joined' | 'invited'>,
  power: RoomPower | null,
): Finding {
  const id = 'control-room-power';
  if (power === null) return warn(id, 'Who may change it cannot be told from its state.');
  const may = (userId: UserId): boolean =>
    SENSITIVE_STATE.some((type) =>
      isWithinPower(Number.POSITIVE_INFINITY, userId, power, { kind: 'send', type, isState: true }),
    ) ||
    isWithinPower(Number.POSITIVE_INFINITY, userId, power, { kind: 'invite' }) ||
    isWithinPower(Number.POSITIVE_INFINITY, userId, power, {
      kind: 'kick',
      target: '@nobody:nowhere.invalid' as UserId,
    });
  const ownPeople = new Set<string>([...admins, bot.user_id]);
  // Somebody who is named in the levels need not be there yet.
  const named =
    typeof power.levels === 'object' && power.levels !== null
      ? Object.keys(objectOf(Reflect.get(power.levels, 'users')))
      : [];
  // What is no user id is nobody's, and not for a terminal.
  const inIt = [...room.joined, ...room.invited, ...power.creators, ...named]
    .map(parseUserId)
    .filter((userId) => userId !== null);
  const others = [...new Set(inIt)].filter((userId) => !ownPeople.has(userId));
  const powerful = others.filter(may);
  if (powerful.length > 0)
    return fail(
      id,
      `May change it, or invite or remove people, without being admins: ${powerful.join(', ')}.`,
    );
  if (may('@nobody:nowhere.invalid' as UserId))
    return fail(id, 'Every member may change it, or invite or remove people.');
  if (
    !admins.some((userId) => room.joined.includes(userId) && powerOf(userId, power) >= 100) &&
    powerOf(bot.user_id, power) < 100
  )
    return warn(id, 'Nobody in it may change its settings.', {
      fix: 'Make another control room: mintwarden init does it where none is configured.',
    });
  return ok(id, 'Only admins and the bot may change it.');
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
