import type { EventId, RoomId, UserId } from '../domain/ids.ts';
import { eventsAt, MARKER_KEY, type RoomEvent } from './events.ts';
import { objectAt, path, stringAt, type Homeserver } from './homeserver.ts';

const PAGE = 100;

/** The events of a room from the newest back, page by page, as far as the reader wants. `filter` is a RoomEventFilter. */
export async function* backwards(homeserver: Homeserver, roomId: RoomId, filter: object): AsyncGenerator<RoomEvent> {
  let from: string | null = null;
  for (;;) {
    const query = { dir: 'b', limit: PAGE, filter: JSON.stringify(filter), from };
    const answer = await homeserver.ask('GET', path`/rooms/${roomId}/messages`, { query });
    yield* eventsAt(answer, 'chunk');
    const end = stringAt(answer, 'end');
    if (end === null || end === from) return;
    from = end;
  }
}

/** See `Chat.findByMarker`. A marker on somebody else's event means nothing. */
export async function findByMarker(
  homeserver: Homeserver,
  botId: string,
  roomId: RoomId,
  marker: string,
  since: number,
): Promise<EventId | null> {
  for await (const event of backwards(homeserver, roomId, { senders: [botId], types: ['m.room.encrypted', 'm.room.message'] })) {
    if (event.sender === botId && event.content[MARKER_KEY] === marker) return event.eventId;
    if (event.sentAt < since) return null;
  }
  return null;
}

/** See `Chat.redact`. */
export async function redact(homeserver: Homeserver, roomId: RoomId, eventId: EventId, transactionId: string): Promise<void> {
  await homeserver.ask('PUT', path`/rooms/${roomId}/redact/${eventId}/${transactionId}`, { body: {} });
}

/** See `Chat.hasRead`. Who has written after the event has read it too. */
export async function hasRead(homeserver: Homeserver, roomId: RoomId, eventId: EventId, userId: UserId): Promise<boolean> {
  const read = await receiptsOf(homeserver, roomId, userId);
  if (read.includes(eventId)) return true;
  for await (const event of backwards(homeserver, roomId, {})) {
    if (event.eventId === eventId) return false;
    if (read.includes(event.eventId) || event.sender === userId) return true;
  }
  return false;
}

/** Receipts are told in a sync alone; one without a position, of one room, changes nothing at the homeserver. */
async function receiptsOf(homeserver: Homeserver, roomId: RoomId, userId: UserId): Promise<readonly string[]> {
  const filter = {
    presence: { not_types: ['*'] },
    account_data: { not_types: ['*'] },
    room: {
      rooms: [roomId],
      account_data: { not_types: ['*'] },
      ephemeral: { types: ['m.receipt'] },
      timeline: { limit: 1, not_types: ['*'] },
      state: { types: ['m.room.create'] },
    },
  };
  const query = { filter: JSON.stringify(filter), timeout: 0, set_presence: 'offline' };
  const answer = await homeserver.ask('GET', path`/sync`, { query });
  const room = objectAt(objectAt(objectAt(answer, 'rooms'), 'join'), roomId);
  return readBy(objectAt(room, 'ephemeral'), userId);
}

/** The events a person's receipts stand at, of the room's main thread or of any. */
export function readBy(ephemeral: unknown, userId: string): readonly string[] {
  const events = (ephemeral as { events?: unknown }).events;
  const receipts = Array.isArray(events) ? events.filter((event: unknown) => stringAt(event, 'type') === 'm.receipt') : [];
  return receipts.flatMap((receipt: unknown) =>
    Object.entries(objectAt(receipt, 'content'))
      .filter(([, kinds]) => userId in objectAt(kinds, 'm.read'))
      .map(([eventId]) => eventId),
  );
}
