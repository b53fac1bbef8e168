import type { EventId, MessageId, RoomId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { reviseMessage } from '../rows/message-row.ts';
import type { Services } from '../services.ts';

/**
 * Whether a row waits to be redacted: an accepted token, or one that may have arrived although it was
 * stopped.
 */
export function awaitsRedaction(message: Message): boolean {
  return (
    message.state !== 'waiting' &&
    message.redactAt !== null &&
    message.redactedAt === null &&
    message.nextActionAt !== null
  );
}

/** Redacts the message with the token. One that was stopped while it was being sent is looked for first. */
export async function redactToken(services: Services, message: Message): Promise<void> {
  const { roomId } = message;
  const eventId =
    message.eventId ??
    (roomId === null
      ? null
      : await services.chat.findByMarker(roomId, message.id, message.firstTriedAt ?? message.createdAt));
  if (eventId !== null && roomId !== null) await services.chat.redact(roomId, eventId, redaction(message.id));
  await recordRedacted(
    services,
    message.id,
    eventId !== null && roomId !== null ? { eventId, roomId } : null,
  );
}

function redaction(id: MessageId): string {
  return `${id}-redact`;
}

async function recordRedacted(
  services: Services,
  id: MessageId,
  event: { readonly eventId: EventId; readonly roomId: RoomId } | null,
): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const row = await services.ledger.message(id);
    const grant = row === null || row.grantId === null ? null : await services.ledger.grant(row.grantId);
    // An event that was accepted in the meantime brings its own redaction.
    if (row === null || grant === null || !awaitsRedaction(row) || (event === null && row.eventId !== null))
      return { change: null, value: null };
    const now = services.clock.now();
    const fields =
      event === null
        ? { nextActionAt: null, redactAt: null }
        : { eventId: event.eventId, redactedAt: now, nextActionAt: null };
    return {
      change: {
        at: now,
        messages: [reviseMessage(row, fields)],
        audit: event === null ? [] : [grantAudit(grant, 'redacted', 'system', now)],
      },
      value: null,
    };
  });
}
