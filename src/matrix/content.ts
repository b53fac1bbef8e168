import { MintwardenError } from '../domain/errors.ts';
import type { ChatContent } from '../ports/chat.ts';
import { MARKER_KEY } from './events.ts';
import type { JsonObject } from './homeserver.ts';

/** An event has at most 65 536 bytes with all that the homeserver adds (Client-Server API, Size limits). */
const MAX_CONTENT_BYTES = 60_000;

/**
 * A message's content by the Client-Server API: `m.room.message` with HTML, mentions and what it replies to.
 */
export function toMessageContent({ body, html, mentions, replyTo, msgtype }: ChatContent): JsonObject {
  return {
    msgtype,
    body,
    format: 'org.matrix.custom.html',
    formatted_body: html,
    'm.mentions': mentions.length === 0 ? {} : { user_ids: mentions },
    ...(replyTo !== null && { 'm.relates_to': { 'm.in_reply_to': { event_id: replyTo } } }),
  };
}

/**
 * The content as it is sent, marker and all. @throws MintwardenError `homeserver-refused` where it is too
 * long
 */
export function withMarker(content: JsonObject, marker: string): JsonObject {
  const result = { ...content, [MARKER_KEY]: marker };
  if (Buffer.byteLength(JSON.stringify(result)) <= MAX_CONTENT_BYTES) return result;
  throw new MintwardenError(
    'homeserver-refused',
    'The message is too long for Matrix.',
    'Ask for less at once.',
  );
}
