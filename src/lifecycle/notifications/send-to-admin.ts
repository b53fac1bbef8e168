import type { UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { troubleReason } from '../../words/invite.ts';
import { excludeRoom } from '../exclude-room.ts';
import type { World } from '../services.ts';
import { contentOf } from './content.ts';
import { beforeSending, noteAccepted } from './try-message.ts';

/**
 * Tells an administrator something in their DM, encrypted or not at all: what the control room cannot be
 * told.
 */
export async function sendToAdmin(world: World, message: Message, admin: UserId): Promise<void> {
  const dm = await world.chat.openDm(admin, { reason: troubleReason(), encrypted: true });
  await excludeRoom(world, { roomId: dm.roomId, why: 'dm', userId: admin });
  const { roomId } = dm;
  const before = await beforeSending(world, message, { roomId, channel: 'encrypted' });
  if (before.kind === 'found') return noteAccepted(world, message.id, before.event);
  const content = await contentOf(world, message, null, 'encrypted');
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'every-device',
    only: admin,
  } as const;
  const eventId = await world.chat.send(roomId, content, options);
  return noteAccepted(world, message.id, { eventId, roomId, channel: 'encrypted' });
}
