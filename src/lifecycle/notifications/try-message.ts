import type { AuditEvent } from '../../domain/audit.ts';
import type { Pin } from '../../domain/change.ts';
import type { MessageId, RoomId } from '../../domain/ids.ts';
import type { Channel, Message } from '../../domain/message.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { reviseMessage } from '../rows/message-row.ts';
import { decideAccepted, type AcceptedEvent } from './outbox-rows.ts';
import type { Services } from '../services.ts';

/** A homeserver remembers transaction ids for a day at most; before that is over we search instead. */
const MEMORY_MS = 20 * 3_600_000;

/** Somebody changed the row while it was being sent: it is read again before anything else is done. */
export class StaleRevision extends Error {}

/**
 * Writes down that the message is about to be sent, where to, and by which device, before it is. What may be
 * in the room already is looked for first where the homeserver would no longer know its transaction id.
 * @returns the row to send by, or the event that was found
 * @throws StaleRevision where the row is not as it was read
 */
export async function prepareSend(
  services: Services,
  message: Message,
  to: { readonly roomId: RoomId | null; readonly channel: Channel },
  pins: readonly Pin[] = [],
): Promise<
  | { readonly kind: 'send'; readonly message: Message }
  | { readonly kind: 'found'; readonly event: AcceptedEvent }
> {
  const now = services.clock.now();
  const { firstTriedAt } = message;
  const sameRoom = message.roomId === null || message.roomId === to.roomId;
  const remembered =
    message.triedBy === services.chat.deviceId &&
    sameRoom &&
    firstTriedAt !== null &&
    now - firstTriedAt < MEMORY_MS;
  if (firstTriedAt !== null && !remembered && message.channel !== 'server-notice') {
    const searched = message.roomId ?? to.roomId;
    const eventId =
      searched === null ? null : await services.chat.findByMarker(searched, message.id, firstTriedAt);
    if (eventId !== null)
      return { kind: 'found', event: { eventId, roomId: searched, channel: message.channel ?? to.channel } };
  }
  const tried = remembered
    ? { firstTriedAt, triedBy: message.triedBy }
    : { firstTriedAt: now, triedBy: services.chat.deviceId };
  const same =
    remembered && message.roomId === to.roomId && message.channel === to.channel && pins.length === 0;
  if (same) return { kind: 'send', message };
  const marked = reviseMessage(message, { ...to, ...tried });
  const audit = pins.map((pin): AuditEvent => pinnedOf(pin, message.grantId));
  if ((await services.ledger.commit({ at: now, messages: [marked], pins, audit })) !== 'committed')
    throw new StaleRevision();
  return { kind: 'send', message: marked };
}

function pinnedOf({ userId, masterKey, at }: Pin, grantId: Message['grantId']): AuditEvent {
  return {
    at,
    actor: 'system',
    action: 'identity-pinned',
    grantId,
    subject: null,
    command: null,
    data: { user: userId, masterKey },
  };
}

/** Writes down that the homeserver has the event. */
export async function recordAccepted(services: Services, id: MessageId, event: AcceptedEvent): Promise<void> {
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const message = await services.ledger.message(id);
    if (message === null) return { change: null, value: null };
    const grant = message.grantId === null ? null : await services.ledger.grant(message.grantId);
    return {
      change: decideAccepted(message, grant, event, services.policy().redactAfterMs, services.clock.now()),
      value: null,
    };
  });
}
