import { parseEventId, type EventId, type RoomId } from '../domain/ids.ts';
import type { Incoming } from '../ports/chat.ts';
import { isJsonObject, objectAt, stringAt, type JsonObject } from './homeserver.ts';
import type { RoomEvent } from './events.ts';

/**
 * The message in an event, or null where it is none of a person's texts: notices are what bots say, and are
 * never commands. `clear` is the decrypted type and content, or the event's own.
 */
export function toMessage(
  roomId: RoomId,
  event: RoomEvent,
  clear: { readonly type: string; readonly content: JsonObject },
  encryption: Incoming['encryption'],
): Incoming | null {
  const { content } = clear;
  const body = stringAt(content, 'body');
  if (clear.type !== 'm.room.message' || stringAt(content, 'msgtype') !== 'm.text' || body === null)
    return null;
  const replyTo = replyTarget(content) ?? replyTarget(event.content);
  return {
    roomId,
    eventId: event.eventId,
    sender: event.sender,
    body,
    html: htmlOf(content),
    replyTo,
    isEdit: isEdit(content) || isEdit(event.content),
    sentAt: event.sentAt,
    encryption,
  };
}

/**
 * Relations stand outside the ciphertext, where a homeserver could drop them: the new text inside gives an
 * edit away all the same.
 */
function isEdit(content: JsonObject): boolean {
  return (
    stringAt(objectAt(content, 'm.relates_to'), 'rel_type') === 'm.replace' ||
    isJsonObject(content['m.new_content'])
  );
}

function replyTarget(content: JsonObject): EventId | null {
  return parseEventId(
    stringAt(objectAt(objectAt(content, 'm.relates_to'), 'm.in_reply_to'), 'event_id') ?? '',
  );
}

function htmlOf(content: JsonObject): string | null {
  return stringAt(content, 'format') === 'org.matrix.custom.html'
    ? stringAt(content, 'formatted_body')
    : null;
}
