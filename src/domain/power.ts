import { unreachable } from './errors.ts';
import type { UserId } from './ids.ts';

/** What is to be done in a room, as far as power decides over it. */
export type PowerAction =
  | { readonly kind: 'send'; readonly type: string; readonly isState: boolean }
  | { readonly kind: 'invite' }
  | { readonly kind: 'redact-others' }
  | { readonly kind: 'kick' | 'ban' | 'unban'; readonly target: UserId };

/** What a room says of power. */
export type RoomPower = {
  /** The content of its `m.room.power_levels`; null: it has none. */
  readonly levels: unknown;
  /**
   * Whose power has no limit: in room version 12 the sender and `additional_creators` of its create event
   * (MSC4289); else nobody.
   */
  readonly creators: readonly UserId[];
  /** The sender of its create event: 100 where a room before version 12 has no power levels. */
  readonly madeBy: UserId | null;
};

type Levels = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Levels {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Levels {
  return isObject(value) ? value : {};
}

/**
 * A level as rooms have them: integers, in old rooms also as text (spec, room versions 1 to 9). Null:
 * neither.
 */
function levelOf(value: unknown): number | null {
  if (Number.isSafeInteger(value)) return value as number;
  return typeof value === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : null;
}

/** A key that is there and cannot be read asks for more than anybody has. */
function wanted(levels: Levels, key: string, otherwise: number): number {
  return Object.hasOwn(levels, key) ? (levelOf(levels[key]) ?? Number.POSITIVE_INFINITY) : otherwise;
}

/**
 * Room versions whose creators have no power but what the power levels give them. Of any other it is not
 * taken for granted.
 */
const WITHOUT_ENDLESS_POWER = /^(?:[1-9]|10|11)$/;

/**
 * Reads what a room says of power. Null: it cannot be told.
 * @param create its create event, whole: `type`, `state_key`, `sender`, `content`
 * @param levels the content of its power levels; null: it has none
 */
export function parseRoomPower(create: unknown, levels: unknown): RoomPower | null {
  const event = objectOf(create);
  const { sender, content } = event;
  if (
    event['type'] !== 'm.room.create' ||
    event['state_key'] !== '' ||
    typeof sender !== 'string' ||
    !isObject(content)
  )
    return null;
  if (levels !== null && !isObject(levels)) return null;
  const { room_version: version = '1', creator, additional_creators: others = [] } = content;
  if (typeof version !== 'string') return null;
  if (WITHOUT_ENDLESS_POWER.test(version)) {
    const madeBy = version !== '11' && typeof creator === 'string' ? creator : sender;
    return { levels, creators: [], madeBy: madeBy as UserId };
  }
  if (!Array.isArray(others) || !others.every((user) => typeof user === 'string')) return null;
  return { levels, creators: [sender, ...others] as UserId[], madeBy: sender as UserId };
}

/** A user's power in a room, creators of version 12 included. */
export function powerOf(user: UserId, room: RoomPower): number {
  if (room.creators.includes(user)) return Number.POSITIVE_INFINITY;
  if (room.levels === null) return user === room.madeBy && room.creators.length === 0 ? 100 : 0;
  const levels = objectOf(room.levels);
  const users = objectOf(levels['users']);
  if (Object.hasOwn(users, user)) return levelOf(users[user]) ?? Number.NEGATIVE_INFINITY;
  return Object.hasOwn(levels, 'users_default')
    ? (levelOf(levels['users_default']) ?? Number.NEGATIVE_INFINITY)
    : 0;
}

/**
 * Whether somebody of at most `ceiling` could do this in the room, were the subject so: spec
 * "m.room.power_levels" and the authorisation rules. The homeserver judges the subject's true power besides.
 */
export function isWithinPower(ceiling: number, subject: UserId, room: RoomPower, deed: PowerAction): boolean {
  const own = Math.min(ceiling, powerOf(subject, room));
  const levels = objectOf(room.levels);
  const overTarget = (target: UserId): boolean => target === subject || own > powerOf(target, room);
  switch (deed.kind) {
    case 'send': {
      const events = objectOf(levels['events']);
      const usual = deed.isState
        ? wanted(levels, 'state_default', room.levels === null ? 0 : 50)
        : wanted(levels, 'events_default', 0);
      return own >= wanted(events, deed.type, usual);
    }
    case 'invite':
      return own >= wanted(levels, 'invite', 0);
    case 'redact-others':
      return (
        own >= wanted(levels, 'redact', 50) &&
        own >= wanted(objectOf(levels['events']), 'm.room.redaction', wanted(levels, 'events_default', 0))
      );
    case 'kick':
      return own >= wanted(levels, 'kick', 50) && overTarget(deed.target);
    case 'ban':
      return own >= wanted(levels, 'ban', 50) && overTarget(deed.target);
    case 'unban':
      // To lift a ban is to kick whoever is banned, with the power to ban.
      return own >= wanted(levels, 'ban', 50) && own >= wanted(levels, 'kick', 50) && overTarget(deed.target);
    default:
      return unreachable(deed);
  }
}
