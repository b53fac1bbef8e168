import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../domain/errors.ts';
import type { EventId, RoomId } from '../domain/ids.ts';
import type { Chat } from '../ports/chat.ts';
import { code, paragraph, strong } from '../words/build.ts';
import type { Document, Inline } from '../words/document.ts';
import { toHtml, toText } from '../words/render.ts';

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 250;

/** An error as people read it. What stands in backticks in its next step is a line to copy. */
export function errorDocument(error: Pick<MintwardenError, 'message' | 'next'>): Document {
  const sentence = paragraph([strong(error.message)]);
  if (error.next === null) return [sentence];
  const pieces = error.next.split('`').map((text, index): Inline => (index % 2 === 1 ? code(text) : text));
  return [sentence, paragraph(pieces.filter((piece) => piece !== ''))];
}

/**
 * The transaction id of the answer to an event. The same event answered again, after a crash, has the same id, so that
 * the homeserver makes no second message of it (spec, "Transaction identifiers").
 */
export function answerTransaction(eventId: EventId): string {
  return `mwa-${createHash('sha256').update(`answer:${eventId}`).digest('base64url').slice(0, 32)}`;
}

/** Answers an event with a notice that replies to it; tries again while the homeserver cannot be reached. */
export async function sendAnswer(
  chat: Chat,
  to: { readonly roomId: RoomId; readonly eventId: EventId; readonly encrypted: boolean },
  document: Document,
): Promise<void> {
  const transactionId = answerTransaction(to.eventId);
  const content = { body: toText(document), html: toHtml(document), mentions: [], replyTo: to.eventId, msgtype: 'm.notice' } as const;
  const expect = to.encrypted ? 'encrypted' : 'plain';
  for (let attempt = 1; ; attempt++) {
    try {
      await chat.send(to.roomId, content, { transactionId, marker: transactionId, expect, audience: 'every-device' });
      return;
    } catch (error) {
      const again = error instanceof MintwardenError && error.code === 'homeserver-unreachable' && attempt < ATTEMPTS;
      if (!again) throw error;
      await sleep(FIRST_WAIT_MS * 4 ** (attempt - 1));
    }
  }
}
