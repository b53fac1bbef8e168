import type { ExcludedRoom } from '../../domain/change.ts';
import { MintwardenError, unreachable } from '../../domain/errors.ts';
import type { RoomFacts } from '../../domain/grant.ts';
import type { RoomId, UserId } from '../../domain/ids.ts';
import type { Dm } from '../../ports/chat.ts';
import type { Directory } from '../../ports/directory.ts';
import type { RoomReference } from '../requests.ts';

const WHY: Record<ExcludedRoom['why'], string> = {
  control: 'it is the control room or one it replaced',
  dm: 'it is a private chat with this bot, where people are told of their tokens',
  'server-notices': 'it is where people get server notices',
};

/** Rooms outside every scope, and why. */
export type ExcludedRooms = ReadonlyMap<RoomId, ExcludedRoom['why']>;

/** All rooms outside every scope, from everything that knows of some. */
export function excludedRooms(
  excluded: readonly ExcludedRoom[],
  seen: {
    readonly control: readonly RoomId[];
    readonly dms: readonly (Dm | null)[];
    readonly noticesRoom: RoomId | null;
  },
): ExcludedRooms {
  const { control, dms, noticesRoom } = seen;
  const outside = new Map(excluded.map((room) => [room.roomId, room.why]));
  for (const dm of dms) if (dm !== null) outside.set(dm.roomId, 'dm');
  for (const room of control) outside.set(room, 'control');
  if (noticesRoom !== null) outside.set(noticesRoom, 'server-notices');
  return outside;
}

/**
 * The one room that was meant. A prefix counts among the subject's rooms alone.
 * @throws MintwardenError `room-unusable` | `ambiguous`
 */
export async function resolveRoom(
  reference: RoomReference,
  subject: UserId,
  joined: readonly RoomId[],
  directory: Pick<Directory, 'resolveAlias'>,
): Promise<RoomId> {
  switch (reference.kind) {
    case 'id':
      return reference.roomId;
    case 'alias': {
      const roomId = await directory.resolveAlias(reference.alias);
      if (roomId !== null) return roomId;
      throw new MintwardenError(
        'room-unusable',
        `The alias ${reference.alias} leads to no room.`,
        'Check its spelling, or give the room id.',
      );
    }
    case 'prefix':
      return byPrefix(reference.text, subject, joined);
    default:
      return unreachable(reference);
  }
}

function byPrefix(text: string, subject: UserId, joined: readonly RoomId[]): RoomId {
  const prefix = text.startsWith('!') ? text : `!${text}`;
  const found = joined.filter((room) => room.startsWith(prefix));
  const [only] = found;
  if (only === undefined) {
    throw new MintwardenError(
      'room-unusable',
      `${subject} is in no room whose id begins with ${prefix}.`,
      'Give the whole room id or an alias.',
    );
  }
  if (found.length === 1 || only === prefix) return only;
  const shown = found.slice(0, 5).join(', ');
  const more = found.length > 5 ? ` and ${found.length - 5} more` : '';
  throw new MintwardenError('ambiguous', `${prefix} could be ${shown}${more}.`, 'Give more of the room id.');
}

/**
 * What a grant may say of a room: that it is one of the subject's, or one it lets them into, and none outside
 * every scope.
 * @param mayEnter whether the grant lets rooms be joined or knocked on
 * @throws MintwardenError `room-unusable`
 */
export function checkRoom(
  roomId: RoomId,
  subject: UserId,
  joined: ReadonlySet<RoomId>,
  outside: ExcludedRooms,
  mayEnter: boolean,
): void {
  const why = outside.get(roomId);
  if (why !== undefined) {
    throw new MintwardenError(
      'room-unusable',
      `${roomId} is outside every scope: ${WHY[why]}.`,
      'Leave it out of --rooms.',
    );
  }
  if (!mayEnter && !joined.has(roomId)) {
    throw new MintwardenError(
      'room-unusable',
      `${subject} is not in ${roomId}.`,
      'Check the room id, have them join it first, or let the token do so: `--can join`.',
    );
  }
}

/**
 * What is known of a room, for the sentences.
 * @throws MintwardenError `room-unusable` where the homeserver does not know it
 */
export async function roomFacts(roomId: RoomId, directory: Pick<Directory, 'room'>): Promise<RoomFacts> {
  const facts = await directory.room(roomId);
  if (facts !== null) return facts;
  throw new MintwardenError(
    'room-unusable',
    `The homeserver does not know the room ${roomId}.`,
    'Check the room id.',
  );
}
