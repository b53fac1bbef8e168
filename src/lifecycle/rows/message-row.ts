import type { Channel, Destination, Message, MessageBody } from '../../domain/message.ts';
import type { EventId, GrantId, MessageId, RoomId } from '../../domain/ids.ts';

const DAY_MS = 86_400_000;
/** Answers and reports are given up after this. */
export const REPORT_LIFE_MS = 7 * DAY_MS;

/** A new row of the outbox, due at once. */
export function newMessage(fields: {
  readonly id: MessageId;
  readonly grantId: GrantId | null;
  readonly to: Destination;
  readonly body: MessageBody;
  readonly at: number;
  readonly after?: MessageId | null;
  readonly giveUpAt?: number;
}): Message {
  return {
    id: fields.id,
    revision: 1,
    grantId: fields.grantId,
    to: fields.to,
    body: fields.body,
    after: fields.after ?? null,
    state: 'waiting',
    channel: null,
    createdAt: fields.at,
    firstTriedAt: null,
    triedBy: null,
    attempts: 0,
    lastProblem: null,
    giveUpAt: fields.giveUpAt ?? fields.at + REPORT_LIFE_MS,
    nextActionAt: fields.at,
    roomId: null,
    eventId: null,
    acceptedAt: null,
    redactAt: null,
    redactedAt: null,
  };
}

/** The next revision of a row. */
export function reviseMessage(message: Message, fields: Partial<Message>): Message {
  return { ...message, ...fields, revision: message.revision + 1 };
}

/** The message can no longer be sent or no longer matters. */
export function abandonMessage(message: Message): Message {
  return reviseMessage(message, { state: 'abandoned', nextActionAt: null });
}

/** The homeserver has the event. */
export function acceptMessage(
  message: Message,
  event: { readonly eventId: EventId; readonly roomId: RoomId | null; readonly channel: Channel },
  at: number,
  redactAt: number | null,
): Message {
  return reviseMessage(message, {
    ...event,
    state: 'accepted',
    acceptedAt: at,
    attempts: 0,
    lastProblem: null,
    redactAt,
    nextActionAt: redactAt,
  });
}

/** Where the message goes, as a key: what goes to one place keeps its order. */
export function destinationKey(to: Destination): string {
  return to.kind === 'dm' ? `dm:${to.userId}` : to.kind;
}
