import type { Change } from '../../domain/change.ts';
import { markDelivered, effectiveState, type Grant } from '../../domain/grant.ts';
import type { EventId, RoomId } from '../../domain/ids.ts';
import type { Channel, Message } from '../../domain/message.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { acceptMessage, reviseMessage } from '../rows/message-row.ts';

/** What the homeserver took. */
export type AcceptedEvent = {
  readonly eventId: EventId;
  readonly roomId: RoomId | null;
  readonly channel: Channel;
};

/**
 * The homeserver has accepted a message. For a token our sealed copy goes in the same change, and the
 * redaction is set; at once where its grant ended while it was sent.
 */
export function decideAccepted(
  message: Message,
  grant: Grant | null,
  event: AcceptedEvent,
  redactAfterMs: number,
  now: number,
): Change | null {
  if (message.state === 'accepted') return null;
  if (message.body.kind !== 'token' || grant === null) {
    return {
      at: now,
      messages: [acceptMessage(message, event, now, null)],
      audit:
        message.body.kind === 'notice' && grant !== null
          ? [grantAudit(grant, 'noticed', 'system', now, { channel: event.channel })]
          : [],
    };
  }
  const counts = effectiveState(grant, now) !== 'inactive' && message.state === 'waiting';
  return {
    at: now,
    grants: grant.sealedToken === null ? [] : [markDelivered(grant)],
    messages: [acceptMessage(message, event, now, counts ? now + redactAfterMs : now)],
    audit: [grantAudit(grant, 'delivered', 'system', now, { recipient: grant.recipient, afterEnd: !counts })],
  };
}

const REDACT_FOR_MS = 86_400_000;

/** An attempt that failed and is made again; a redaction for a day. */
export function decideFailedTry(message: Message, problem: string, retryMs: number, now: number): Change {
  const at = nextTry(message, retryMs, now);
  return {
    at: now,
    messages: [
      reviseMessage(message, { attempts: message.attempts + 1, lastProblem: problem, nextActionAt: at }),
    ],
  };
}

function nextTry(message: Message, retryMs: number, now: number): number | null {
  if (message.state === 'waiting')
    return message.giveUpAt === null
      ? now + retryMs
      : Math.min(now + retryMs, Math.max(now, message.giveUpAt));
  return now > (message.redactAt ?? now) + REDACT_FOR_MS ? null : now + retryMs;
}
