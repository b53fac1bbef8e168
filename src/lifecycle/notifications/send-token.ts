import { MintwardenError } from '../../domain/errors.ts';
import type { Pin } from '../../domain/change.ts';
import { standing, type Grant } from '../../domain/grant.ts';
import { isOperator, type UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { deliveryInviteReason, inviteReason } from '../../words/invite.ts';
import { contentOf } from './content.ts';
import { tokenObstacle, type WaitingFor } from './delivery-decision.ts';
import { excludeRoom } from '../exclude-room.ts';
import { grantRow } from '../secret-rows.ts';
import { beforeSending, noteAccepted } from './try-message.ts';
import type { World } from '../services.ts';

/** `waiting`: nothing was sent, and what stands in the way is the recipient's to change. */
export type TokenTry =
  | { readonly kind: 'sent' }
  | { readonly kind: 'over' }
  | { readonly kind: 'waiting'; readonly why: WaitingFor | 'suspended' };

/**
 * Sends the token to its recipient, if everything about the room and their keys is right at this moment. The
 * token is unsealed for the call that sends it and nowhere else. The notice must have been accepted: checked
 * here again, whatever brought us here.
 */
export async function sendToken(world: World, message: Message, grant: Grant): Promise<TokenTry> {
  const notice = message.after === null ? null : await world.ledger.message(message.after);
  const now = world.clock.now();
  if (notice?.state !== 'accepted' || standing(grant, now) === 'over') return { kind: 'over' };
  if (grant.suspended || (world.held?.() ?? null) !== null) return { kind: 'waiting', why: 'suspended' };
  const { recipient } = grant;
  if (isOperator(recipient))
    throw new MintwardenError('internal', 'A token for an operator’s file is never sent.');
  const [keys, pin] = await Promise.all([world.chat.keys(recipient), world.ledger.pin(recipient)]);
  const reason = recipient === grant.subject ? inviteReason(grant, now) : deliveryInviteReason(grant, now);
  const dm = await world.chat.openDm(recipient, { reason, encrypted: true });
  await excludeRoom(world, { roomId: dm.roomId, why: 'dm', userId: recipient });
  const obstacle = tokenObstacle(dm, keys, pin);
  if (obstacle !== null) return { kind: 'waiting', why: obstacle };
  const pins: Pin[] =
    pin === null && keys.masterKey !== null
      ? [{ userId: recipient, masterKey: keys.masterKey, at: now }]
      : [];
  const before = await beforeSending(world, message, { roomId: dm.roomId, channel: 'encrypted' }, pins);
  if (before.kind === 'found') await noteAccepted(world, message.id, before.event);
  else await send(world, before.message, dm.roomId, recipient);
  return { kind: 'sent' };
}

async function send(
  world: World,
  message: Message,
  roomId: NonNullable<Message['roomId']>,
  recipient: UserId,
): Promise<void> {
  // Read last: an ending that was committed a moment ago must still stop it.
  const [grant, row] = await Promise.all([
    message.grantId === null ? null : world.ledger.grant(message.grantId),
    world.ledger.message(message.id),
  ]);
  if (
    grant === null ||
    grant.sealedToken === null ||
    row?.revision !== message.revision ||
    standing(grant, world.clock.now()) !== 'good'
  )
    return;
  const content = await contentOf(
    world,
    message,
    grant,
    'encrypted',
    world.sealer.open(grantRow(grant.id), grant.sealedToken),
  );
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'cross-signed',
    only: recipient,
  } as const;
  const eventId = await world.chat.send(roomId, content, options);
  await noteAccepted(world, message.id, { eventId, roomId, channel: 'encrypted' });
}
