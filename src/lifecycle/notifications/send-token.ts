import { MintwardenError } from '../../domain/errors.ts';
import type { Pin } from '../../domain/change.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import { isOperator, type UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { deliveryInviteReason, inviteReason } from '../../words/invite.ts';
import { contentOf } from './content.ts';
import { tokenObstacle, type WaitingFor } from './delivery-decision.ts';
import { refusesBot } from '../subjects/refuses-bot.ts';
import { excludeRoom } from '../exclude-room.ts';
import { grantRow } from '../rows/sealed-row.ts';
import { prepareSend, recordAccepted } from './try-message.ts';
import type { Services } from '../services.ts';

/** `waiting`: nothing was sent, and what stands in the way is the recipient's to change. */
export type TokenTry =
  | { readonly kind: 'sent' }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'waiting'; readonly why: WaitingFor | 'suspended' };

/**
 * Sends the token to its recipient, if everything about the room and their keys is right at this moment. The
 * token is unsealed for the call that sends it and nowhere else. The notice must have been accepted: checked
 * here again, whatever brought us here.
 */
export async function sendToken(services: Services, message: Message, grant: Grant): Promise<TokenTry> {
  const notice = message.after === null ? null : await services.ledger.message(message.after);
  const now = services.clock.now();
  if (notice?.state !== 'accepted' || effectiveState(grant, now) === 'inactive') return { kind: 'inactive' };
  if (grant.suspended || services.lockdown() !== null) return { kind: 'waiting', why: 'suspended' };
  const { recipient } = grant;
  if (isOperator(recipient))
    throw new MintwardenError('internal', 'A token for an operator’s file is never sent.');
  const [keys, pin] = await Promise.all([services.chat.keys(recipient), services.ledger.pin(recipient)]);
  if (await refusesInvitation(services, recipient)) return { kind: 'waiting', why: 'invite-refused' };
  const reason = recipient === grant.subject ? inviteReason(grant, now) : deliveryInviteReason(grant, now);
  const dm = await services.chat.openDm(recipient, { reason, encrypted: true });
  await excludeRoom(services, { roomId: dm.roomId, why: 'dm', userId: recipient });
  const obstacle = tokenObstacle(dm, keys, pin);
  if (obstacle !== null) return { kind: 'waiting', why: obstacle };
  const pins: Pin[] =
    pin === null && keys.masterKey !== null
      ? [{ userId: recipient, masterKey: keys.masterKey, at: now }]
      : [];
  const before = await prepareSend(services, message, { roomId: dm.roomId, channel: 'encrypted' }, pins);
  if (before.kind === 'found') await recordAccepted(services, message.id, before.event);
  else await send(services, before.message, dm.roomId, recipient);
  return { kind: 'sent' };
}

/** An invitation that is ignored would look like one that is not answered. */
async function refusesInvitation(services: Services, recipient: UserId): Promise<boolean> {
  const dm = await services.chat.dm(recipient);
  if (dm?.membership === 'join') return false;
  const facts = await services.directory.subject(recipient);
  return facts !== null && refusesBot(facts, dm) !== null;
}

async function send(
  services: Services,
  message: Message,
  roomId: NonNullable<Message['roomId']>,
  recipient: UserId,
): Promise<void> {
  // Read last: an ending that was committed a moment ago must still stop it.
  const [grant, row] = await Promise.all([
    message.grantId === null ? null : services.ledger.grant(message.grantId),
    services.ledger.message(message.id),
  ]);
  if (
    grant === null ||
    grant.sealedToken === null ||
    row?.revision !== message.revision ||
    effectiveState(grant, services.clock.now()) !== 'active'
  )
    return;
  const content = await contentOf(
    services,
    message,
    grant,
    'encrypted',
    services.sealer.open(grantRow(grant.id), grant.sealedToken),
  );
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'cross-signed',
    only: recipient,
  } as const;
  const eventId = await services.chat.send(roomId, content, options);
  await recordAccepted(services, message.id, { eventId, roomId, channel: 'encrypted' });
}
