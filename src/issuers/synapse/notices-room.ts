import { parseRoomId, parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import type { JsonObject } from './http.ts';
import { invalidResponse } from './outcome.ts';

type Get = (literals: TemplateStringsArray, ...ids: readonly string[]) => Promise<JsonObject | null>;

const REMEMBERED_ROOMS = 200_000;

/**
 * Finds the room that Synapse's server notices come in. Its mark, a room tag, is in no admin API; but
 * every such room is made by one account that nobody else can use, and its notices show which one. So
 * one notice is sent to the issuer account, and its sender's rooms are the notices rooms.
 */
export function createNoticesRooms(parts: {
  readonly get: Get;
  /** Sends one notice to the issuer account and gives its event id. */
  readonly noticeToIssuer: () => Promise<string>;
}): {
  /** Of these rooms, the one that server notices come in. */
  readonly among: (joined: readonly RoomId[]) => Promise<RoomId | null>;
  readonly sender: () => Promise<UserId>;
} {
  let sender: Promise<UserId> | null = null;
  /** Of rooms looked at before: who made a room never changes. */
  const known = new Map<RoomId, boolean>();

  const findSender = async (): Promise<UserId> => {
    const eventId = await parts.noticeToIssuer();
    const body = await parts.get`/_synapse/admin/v1/fetch_event/${eventId}`;
    const event = body?.['event'] as JsonObject | null | undefined;
    const found = typeof event?.['sender'] === 'string' ? parseUserId(event['sender']) : null;
    if (found === null) throw invalidResponse('the sender of its server notices');
    return found;
  };

  const senderOnce = (): Promise<UserId> => {
    sender ??= findSender();
    sender.catch(() => {
      sender = null; // a failure is not remembered
    });
    return sender;
  };

  const among = async (joined: readonly RoomId[]): Promise<RoomId | null> => {
    if (joined.some((room) => !known.has(room))) {
      const notices = new Set(
        roomList(
          await parts.get`/_synapse/admin/v1/users/${await senderOnce()}/joined_rooms`,
          'its notices rooms',
        ),
      );
      if (known.size > REMEMBERED_ROOMS) known.clear();
      for (const room of joined) known.set(room, notices.has(room));
    }
    return joined.find((room) => known.get(room) === true) ?? null;
  };
  return { among, sender: senderOnce };
}

/** The `joined_rooms` of an answer. */
export function roomList(body: JsonObject | null, asked: string): readonly RoomId[] {
  const list = body?.['joined_rooms'];
  if (!Array.isArray(list)) throw invalidResponse(asked);
  return list.map((entry) => {
    const room = typeof entry === 'string' ? parseRoomId(entry) : null;
    if (room === null) throw invalidResponse(asked);
    return room;
  });
}
