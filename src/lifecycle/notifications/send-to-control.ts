import type { Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { contentOf } from './content.ts';
import { beforeSending, noteAccepted } from './try-message.ts';
import type { World } from '../services.ts';

/** Sends an answer or a report to the control room, encrypted or not at all. */
export async function sendToControl(world: World, message: Message, grant: Grant | null): Promise<void> {
  const roomId = world.controlRoomId as RoomId;
  const before = await beforeSending(world, message, { roomId, channel: 'encrypted' });
  if (before.kind === 'found') return noteAccepted(world, message.id, before.event);
  const content = await contentOf(world, message, grant, 'encrypted');
  const options = {
    transactionId: message.id,
    marker: message.id,
    expect: 'encrypted',
    audience: 'every-device',
  } as const;
  const eventId = await world.chat.send(roomId, content, options);
  return noteAccepted(world, message.id, { eventId, roomId, channel: 'encrypted' });
}
