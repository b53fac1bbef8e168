import type { UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { incidentReason } from '../../words/invite.ts';
import { excludeRoom } from '../exclude-room.ts';
import type { Services } from '../services.ts';
import { contentOf } from './content.ts';
import { prepareSend, recordAccepted } from './try-message.ts';

/**
 * Tells an administrator something in their DM, encrypted or not at all: what the control room cannot be
 * told.
 */
export async function sendToAdmin(services: Services, message: Message, admin: UserId): Promise<void> {
  const dm = await services.chat.openDm(admin, { reason: incidentReason(), encrypted: true });
  await excludeRoom(services, { roomId: dm.roomId, why: 'dm', userId: admin });
  const { roomId } = dm;
  const before = await prepareSend(services, message, { roomId, channel: 'encrypted' });
  if (before.kind === 'found') return recordAccepted(services, message.id, before.event);
  const content = await contentOf(services, message, null, 'encrypted');
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'every-device',
    only: admin,
  } as const;
  const eventId = await services.chat.send(roomId, content, options);
  return recordAccepted(services, message.id, { eventId, roomId, channel: 'encrypted' });
}
