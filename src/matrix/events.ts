import { parseEventId, parseUserId, type EventId, type UserId } from '../domain/ids.ts';
import { arrayAt, isJsonObject, objectAt, stringAt, type JsonObject } from './homeserver.ts';

/** The key under which a message of ours bears its marker, in the clear beside the ciphertext. */
export const MARKER_KEY = 'org.mintwarden.id';

/** An event as the homeserver gives it, looked at as far as every event has it. */
export type RoomEvent = {
  readonly eventId: EventId;
  readonly type: string;
  readonly sender: UserId;
  readonly stateKey: string | null;
  /** The homeserver's word, epoch ms. */
  readonly sentAt: number;
  readonly content: JsonObject;
  /** As it came: the engine wants it whole. */
  readonly raw: JsonObject;
};

/** Reads an event, or null where it is none. */
export function parseEvent(raw: unknown): RoomEvent | null {
  if (!isJsonObject(raw)) return null;
  const eventId = parseEventId(stringAt(raw, 'event_id') ?? '');
  const sender = parseUserId(stringAt(raw, 'sender') ?? '');
  const type = stringAt(raw, 'type');
  const sentAt = raw['origin_server_ts'];
  if (eventId === null || sender === null || type === null || typeof sentAt !== 'number') return null;
  return {
    eventId,
    type,
    sender,
    stateKey: stringAt(raw, 'state_key'),
    sentAt,
    content: objectAt(raw, 'content'),
    raw,
  };
}

/** The events of an array under a key, those that are none left out. */
export function eventsAt(value: unknown, key: string): readonly RoomEvent[] {
  return arrayAt(value, key)
    .map(parseEvent)
    .filter((event) => event !== null);
}
