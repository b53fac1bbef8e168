import { LRUCache } from 'lru-cache';
import type { Grant } from '../../domain/grant.ts';
import type { RoomId, UserId } from '../../domain/ids.ts';
import { canGrow, roomMatches, type Scope } from '../../domain/scope.ts';
import type { Directory } from '../../ports/directory.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';

/** `maxSize` rather than `max`, which would allocate room for all of them at once. */
const REMEMBERED = { maxSize: 200_000, sizeCalculation: () => 1 };
const AT_ONCE = 8;
/** Limits look-ups for a user who is invited to more and more rooms on other servers. */
const UNKNOWN_FOR_MS = 600_000;
/** A chain of upgrades is followed so far. */
const MAX_UPGRADES = 20;

/** What was looked up of a grant's rooms. */
export type RoomLookup = {
  /** The rooms its subject is in, less their DM with the bot and server notices. */
  readonly joined: ReadonlySet<RoomId>;
  /** The rooms they are invited to; looked at for scopes by creator alone. */
  readonly invited: readonly RoomId[];
  /** Rooms they are in that replace named ones. */
  readonly followed: readonly RoomId[];
  /** Who made rooms, as the homeserver itself knows it; for scopes by creator. */
  readonly creators: ReadonlyMap<RoomId, UserId>;
};

/** Whether the rooms of a scope have to be looked up before it opens all it should. */
export function needsRoomLookup(scope: Scope): boolean {
  return canGrow(scope) || scope.by !== undefined;
}

/** Who made which room: for ever, since a create event cannot change. */
export type CreatorLookup = (
  rooms: readonly RoomId[],
  joined: ReadonlySet<RoomId>,
) => Promise<ReadonlyMap<RoomId, UserId>>;

/**
 * Looks creators up. A room whose creator is not known, or could not be asked for, is left out: it stays
 * closed until the next look.
 */
export function creatorLookup({
  directory,
  clock,
  log,
}: Pick<Services, 'directory' | 'clock' | 'log'>): CreatorLookup {
  const known = new LRUCache<RoomId, UserId>(REMEMBERED);
  const unknown = new LRUCache<RoomId, number>(REMEMBERED);

  const ask = async (room: RoomId): Promise<string | null> => {
    try {
      const creator = await directory.creator(room);
      if (creator === null) unknown.set(room, clock.now());
      else known.set(room, creator);
      return null;
    } catch (error) {
      return problemOf(error);
    }
  };

  return async (rooms, joined) => {
    const now = clock.now();
    const wanted = rooms.filter((room) => {
      if (known.peek(room) !== undefined) return false;
      const asked = unknown.peek(room);
      return asked === undefined || joined.has(room) || Math.abs(now - asked) > UNKNOWN_FOR_MS;
    });
    const queue = wanted.values();
    const problems: string[] = [];
    const work = async (): Promise<void> => {
      for (const room of queue) {
        const problem = await ask(room);
        if (problem !== null) problems.push(problem);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.length) }, work));
    if (problems.length > 0)
      log.warn('creators of rooms not looked up', { rooms: problems.length, problem: problems[0] });
    return new Map(rooms.flatMap((room) => pairOf(room, known.get(room))));
  };
}

function pairOf(room: RoomId, creator: UserId | undefined): [RoomId, UserId][] {
  return creator === undefined ? [] : [[room, creator]];
}

/**
 * Looks up what a scope that needs it has to know of its rooms. Where the subject is told of their tokens is
 * not among them before they have accepted the invite either, since a holder who may leave could reject it.
 * Rooms that our own accounts created are such rooms.
 */
export async function lookUpRooms(
  { directory, ownAccounts }: Pick<Services, 'directory' | 'ownAccounts'>,
  { scope, subject }: Pick<Grant, 'scope' | 'subject'>,
  joinedRooms: readonly RoomId[],
  makers: CreatorLookup,
): Promise<RoomLookup> {
  const joined = new Set(joinedRooms);
  const { rooms: named, by } = scope;
  const invited =
    by === undefined || named !== 'all'
      ? []
      : (await directory.invitedRooms(subject)).filter((room) => !joined.has(room));
  const followed =
    named === 'all' || scope.followUpgrades !== true ? [] : await upgradesOf(directory, named, joined);
  if (by === undefined) return { joined, invited, followed, creators: new Map() };
  const spokenOf = named === 'all' ? [...joinedRooms, ...invited] : [...named, ...followed];
  const made = await makers(spokenOf, joined);
  const creators = new Map([...made].filter(([, creator]) => !ownAccounts.includes(creator)));
  for (const room of invited) {
    const opens = roomMatches(scope, { roomId: room, creator: creators.get(room) ?? null });
    if (opens && (await directory.isNoticesRoom(room))) creators.delete(room);
  }
  return { joined, invited, followed, creators };
}

/**
 * The rooms that named ones were replaced by, and those that these were replaced by, as far as the subject is
 * in them. A chain ends at the first one they are not in.
 */
export async function upgradesOf(
  directory: Pick<Directory, 'replacement'>,
  named: readonly RoomId[],
  joined: ReadonlySet<RoomId>,
): Promise<readonly RoomId[]> {
  const seen = new Set(named);
  const followed: RoomId[] = [];
  for (const room of named) {
    let at = room;
    for (let steps = 0; steps < MAX_UPGRADES; steps++) {
      const next = await directory.replacement(at);
      if (next === null || seen.has(next) || !joined.has(next)) break;
      seen.add(next);
      followed.push(next);
      at = next;
    }
  }
  return followed;
}
