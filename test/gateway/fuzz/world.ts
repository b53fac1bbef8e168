import type { RoomId, UserId } from '../../../src/domain/ids.ts';

/**
 * The world of the fuzzed homeserver. Every name in it that a holder could know beforehand has `nq` and the
 * number of its room in it, everything else that is a room's has `hq` and that number: so that whatever comes
 * back says by itself where it is from. `hq` and a letter is the subject's own.
 */
export const SUBJECT = '@alice:hs.test' as UserId;
/** In every room. */
export const EVERYWHERE = '@bob:hs.test';

export const ROOMS = [
  '!nq0r:hs.test',
  '!nq1r:hs.test',
  '!nq2r:hs.test',
  '!nq3r:hs.test',
  '!nq4rKut5YSerXwBSabcdefghijklmnopqrstuvwxyz12',
  '!nq5r:other.test',
  '!nq6r:hs.test',
  '!nq7r:hs.test',
] as string[] as RoomId[] as readonly RoomId[];

/** Outside every scope, as the control room is. */
export const OUTSIDE: RoomId = ROOMS[7] as RoomId;
/** The subject is in no more than these. */
export const JOINED: readonly RoomId[] = ROOMS.slice(0, 7);
/** Rooms that are encrypted. */
export const ENCRYPTED: readonly RoomId[] = [ROOMS[3] as RoomId];

/** Names of rooms that look like one that is there. */
export const LOOKALIKES = [
  '!nq0r:hs.test.evil',
  '!NQ0R:hs.test',
  '!nq0r',
  '!nq0r:hs.test:8448',
  '#nq0n:hs.test',
  '!*',
  '!nq0r:hs.test ',
];

/** The room's number, which is in all its names; 9 is nobody's. */
export const indexOf = (room: string): number => {
  const at = ROOMS.indexOf(room as RoomId);
  return at === -1 ? 9 : at;
};

export const memberOf = (index: number): string => `@nq${index}u:hs.test`;
export const aliasOf = (index: number): string => `#nq${index}n:hs.test`;
/** `a`: the subject's message, `b`: another's, `s`: state, `m`: shows media, `t`: a thread's first. */
export const eventOf = (index: number, which: string): string => `$nq${index}${which}`;
export const mediaOf = (index: number): string => `nq${index}m`;
export const EVENT_KINDS = ['a', 'b', 's', 'm', 't'];

/** Everybody there is. */
export const USERS: readonly string[] = [
  SUBJECT,
  EVERYWHERE,
  ...ROOMS.map((_, index) => memberOf(index)),
  '@alice:hs.test.evil',
  '@nobody:hs.test',
];

/** Whether this user is in that room. */
export function isIn(user: string, index: number): boolean {
  return user === SUBJECT || user === EVERYWHERE || user === memberOf(index);
}

/**
 * What stands in each event of a type: a holder who does not read that type may not see it. `''`: in what is
 * made of all types together.
 */
export const markOf = (type: string): string => `zq${Buffer.from(type).toString('hex')}z`;
/** Types that stand in every list besides messages. */
export const OTHER_TYPES = [
  'm.room.topic',
  'm.room.redaction',
  'm.room.encrypted',
  'm.reaction',
  'com.example.x',
  'm.room.messages',
  'com.example.xx',
];
