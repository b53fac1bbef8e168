import type { RoomId } from '../domain/ids.ts';
import type { Dms } from './dm.ts';
import { isForbidden, isNotFound } from './homeserver-errors.ts';
import { objectAt, path, type HomeserverClient } from './homeserver.ts';

/** How long somebody who left the control room may still be taken for a member. */
const MEMBERS_MS = 300_000;

/** The people the bot has business with. */
export type Contacts = {
  /**
   * Those of the users who are the bot itself, in the control room, or have a DM with it. Whoever is none of these
   * by what is known is looked for at the homeserver again, once for all: their first message may come before the
   * news that they joined.
   * @throws MintwardenError where the homeserver cannot be asked
   */
  among(userIds: ReadonlySet<string>): Promise<ReadonlySet<string>>;
};

/** Contacts by the homeserver's word. `elapsedMs`: a clock that only goes forward. */
export function createContacts(options: {
  readonly homeserver: HomeserverClient;
  readonly botId: string;
  readonly controlRoomId: RoomId;
  readonly dms: Pick<Dms, 'hasDm'>;
  readonly elapsedMs: () => number;
}): Contacts {
  const { homeserver, botId, controlRoomId, dms, elapsedMs } = options;
  let members: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;

  async function readMembers(): Promise<void> {
    members = await joinedMembers(homeserver, controlRoomId);
    readAt = elapsedMs();
  }

  return {
    async among(userIds) {
      const known = new Set<string>();
      for (const userId of userIds) if (userId === botId || (await dms.hasDm(userId))) known.add(userId);
      const others = [...userIds].filter((userId) => !known.has(userId));
      const isFresh = elapsedMs() - readAt < MEMBERS_MS && others.every((userId) => members.has(userId));
      if (others.length > 0 && !isFresh) await readMembers();
      for (const userId of others) if (members.has(userId)) known.add(userId);
      return known;
    },
  };
}

/** Nobody, where the bot is not in the room. */
async function joinedMembers(homeserver: HomeserverClient, roomId: RoomId): Promise<ReadonlySet<string>> {
  const answer = await homeserver
    .request('GET', path`/rooms/${roomId}/joined_members`)
    .catch((error: unknown) => {
      if (isForbidden(error) || isNotFound(error)) return {};
      throw error;
    });
  return new Set(Object.keys(objectAt(answer, 'joined')));
}
