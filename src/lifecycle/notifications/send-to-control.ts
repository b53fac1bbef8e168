import type { Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { contentOf } from './content.ts';
import { prepareSend, recordAccepted } from './try-message.ts';
import type { Services } from '../services.ts';

/** Sends an answer or a report to the control room, encrypted or not at all. */
export async function sendToControl(
  services: Services,
  message: Message,
  grant: Grant | null,
): Promise<void> {
  const roomId = services.controlRoomId as RoomId;
  const before = await prepareSend(services, message, { roomId, channel: 'encrypted' });
  if (before.kind === 'found') return recordAccepted(services, message.id, before.event);
  const content = await contentOf(services, message, grant, 'encrypted');
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'every-device',
  } as const;
  const eventId = await services.chat.send(roomId, content, options);
  return recordAccepted(services, message.id, { eventId, roomId, channel: 'encrypted' });
}
