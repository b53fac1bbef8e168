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
    body: replyTo !== null && hasQuoteFallback(content, encryption) ? stripQuoteFallback(body) : body,
    html: htmlOf(content, replyTo !== null),
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

/**
 * Whether a reply's text begins with the quoted one. What a text replies to stands outside the ciphertext: a
 * homeserver that adds it must not turn a quotation with a command below it into the command.
 */
function hasQuoteFallback(clear: JsonObject, encryption: Incoming['encryption']): boolean {
  return encryption === null || /^\s*<mx-reply>/i.test(stringAt(clear, 'formatted_body') ?? '');
}

function replyTarget(content: JsonObject): EventId | null {
  return parseEventId(
    stringAt(objectAt(objectAt(content, 'm.relates_to'), 'm.in_reply_to'), 'event_id') ?? '',
  );
}

function htmlOf(content: JsonObject, isReply: boolean): string | null {
  if (stringAt(content, 'format') !== 'org.matrix.custom.html') return null;
  const html = stringAt(content, 'formatted_body');
  return html !== null && isReply ? html.replace(/^\s*<mx-reply>[\s\S]*?<\/mx-reply>/i, '') : html;
}

/**
 * Takes off what older clients quote before a reply (Client-Server API before 1.13, Fallbacks for rich
 * replies).
 */
export function stripQuoteFallback(body: string): string {
  const lines = body.split('\n');
  const first = lines.findIndex((line) => !line.startsWith('> ') && line !== '>');
  if (first <= 0) return body;
  return lines.slice(lines[first] === '' ? first + 1 : first).join('\n');
}
