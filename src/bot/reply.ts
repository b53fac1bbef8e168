import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../domain/errors.ts';
import type { EventId, RoomId } from '../domain/ids.ts';
import type { Chat } from '../ports/chat.ts';
import { code, paragraph, strong } from '../words/build.ts';
import type { Document, Inline } from '../words/document.ts';
import { toHtml, toText } from '../words/render.ts';

/** An error as people read it. What stands in backticks in its next step is a line to copy. */
export function errorDocument(error: Pick<MintwardenError, 'message' | 'hint'>): Document {
  const sentence = paragraph([strong(error.message)]);
  if (error.hint === null) return [sentence];
  const pieces = error.hint.split('`').map((text, index): Inline => (index % 2 === 1 ? code(text) : text));
  return [sentence, paragraph(pieces.filter((piece) => piece !== ''))];
}

/**
 * The transaction id of the reply to an event. It depends on the event alone, so that a reply sent again
 * after a crash makes no second message (spec, "Transaction identifiers").
 */
function replyTransactionId(eventId: EventId): string {
  return `mwa-${createHash('sha256').update(`answer:${eventId}`).digest('base64url').slice(0, 32)}`;
}

/** Where an answer goes, and what it says. */
export type CommandReply = {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly encrypted: boolean;
  readonly document: Document;
};

/**
 * How long to wait before each retry while the homeserver is away: first those that the caller waits for, then
 * those in the background.
 */
export type RetryDelays = { readonly soonMs: readonly number[]; readonly laterMs: readonly number[] };

/** Five seconds, then ten minutes. */
export const RETRY_DELAYS: RetryDelays = {
  soonMs: [250, 1_000, 4_000],
  laterMs: [5_000, 10_000, ...Array<number>(20).fill(30_000)],
};

/**
 * Whether an error says that the homeserver could not be reached, so that trying again may help. An invalid
 * response counts too: it may be from a proxy that stands in for the homeserver.
 */
export function isHomeserverAway(error: unknown): boolean {
  return (
    error instanceof MintwardenError &&
    (error.code === 'homeserver-unreachable' || error.code === 'homeserver-invalid-response')
  );
}

/**
 * Answers an event with a notice that replies to it; tries again after each of the waits while the homeserver
 * is away.
 * @throws MintwardenError `homeserver-unreachable` where it stayed away; others at once
 */
export async function sendReply(chat: Chat, answer: CommandReply, waitsMs: readonly number[]): Promise<void> {
  const { roomId, eventId, encrypted, document } = answer;
  const transactionId = replyTransactionId(eventId);
  const content = {
    body: toText(document),
    html: toHtml(document),
    mentions: [],
    replyTo: eventId,
    msgtype: 'm.notice',
  } as const;
  const expect = encrypted ? 'encrypted' : 'plain';
  for (let attempt = 0; ; attempt++) {
    try {
      await chat.send(roomId, content, {
        transactionId,
        marker: transactionId,
        expect,
        audience: 'every-device',
      });
      return;
    } catch (error) {
      const wait = waitsMs[attempt];
      if (!isHomeserverAway(error) || wait === undefined) throw error;
      await sleep(wait, undefined, { ref: false });
    }
  }
}
