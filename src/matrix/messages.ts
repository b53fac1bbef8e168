import type { EventId, RoomId, UserId } from '../domain/ids.ts';
import { eventsAt, MARKER_KEY, type RoomEvent } from './events.ts';
import { arrayAt, objectAt, path, stringAt, type HomeserverClient } from './homeserver.ts';
import { listJoinedRooms } from './joined-rooms.ts';

const PAGE = 100;

/**
 * The events of a room from the newest back, page by page, as far as the reader wants. `filter` is a
 * RoomEventFilter.
 */
async function* backwards(
  homeserver: HomeserverClient,
  roomId: RoomId,
  filter: object,
): AsyncGenerator<RoomEvent> {
  let from: string | null = null;
  for (;;) {
    const query = { dir: 'b', limit: PAGE, filter: JSON.stringify(filter), from };
    const answer = await homeserver.request('GET', path`/rooms/${roomId}/messages`, { query });
    yield* eventsAt(answer, 'chunk');
    const end = stringAt(answer, 'end');
    if (end === null || end === from) return;
    from = end;
  }
}

/** See `Chat.findByMarker`. A marker on someone else's event means nothing. */
export async function findByMarker(
  homeserver: HomeserverClient,
  botId: string,
  roomId: RoomId,
  marker: string,
  since: number,
): Promise<EventId | null> {
  for await (const event of backwards(homeserver, roomId, {
    senders: [botId],
    types: ['m.room.encrypted', 'm.room.message'],
  })) {
    if (event.sender === botId && event.content[MARKER_KEY] === marker) return event.eventId;
    if (event.sentAt < since) return null;
  }
  return null;
}

/** See `Chat.redact`. */
export async function redact(
  homeserver: HomeserverClient,
  roomId: RoomId,
  eventId: EventId,
  transactionId: string,
): Promise<void> {
  await homeserver.request('PUT', path`/rooms/${roomId}/redact/${eventId}/${transactionId}`, { body: {} });
}

/** See `Chat.hasRead`. Who has written after the event has read it too. */
export async function hasRead(
  homeserver: HomeserverClient,
  roomId: RoomId,
  eventId: EventId,
  userId: UserId,
): Promise<boolean> {
  const read = await readReceipts(homeserver, roomId, userId);
  if (read.includes(eventId)) return true;
  for await (const event of backwards(homeserver, roomId, {})) {
    if (event.eventId === eventId) return false;
    if (read.includes(event.eventId) || event.sender === userId) return true;
  }
  return false;
}

/** Receipts are told in a sync alone. */
async function readReceipts(
  homeserver: HomeserverClient,
  roomId: RoomId,
  userId: UserId,
): Promise<readonly string[]> {
  const joined = await listJoinedRooms(homeserver, {
    rooms: [roomId],
    ephemeral: { types: ['m.receipt'] },
    state: { types: ['m.room.create'] },
  });
  return receiptEvents(objectAt(objectAt(joined, roomId), 'ephemeral'), userId);
}

/** The events a person's receipts stand at, of the room's main thread or of any. */
function receiptEvents(ephemeral: unknown, userId: string): readonly string[] {
  const receipts = arrayAt(ephemeral, 'events').filter((event) => stringAt(event, 'type') === 'm.receipt');
  return receipts.flatMap((receipt) =>
    Object.entries(objectAt(receipt, 'content'))
      .filter(([, kinds]) => userId in objectAt(kinds, 'm.read'))
      .map(([eventId]) => eventId),
  );
}
