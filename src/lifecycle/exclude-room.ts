import type { ExcludedRoom } from '../domain/change.ts';
import type { RoomId } from '../domain/ids.ts';
import { problemOf } from './problem.ts';
import type { Services } from './services.ts';

/** Records that a room is outside every scope, once. */
export async function excludeRoom(services: Services, room: ExcludedRoom): Promise<void> {
  const known = await services.ledger.excluded();
  if (known.some((other) => other.roomId === room.roomId)) return;
  const now = services.clock.now();
  await services.ledger.commit({
    at: now,
    excluded: [room],
    audit: [
      {
        at: now,
        actor: 'system',
        action: 'room-excluded',
        grantId: null,
        subject: room.userId,
        command: null,
        data: { room: room.roomId, why: room.why },
      },
    ],
  });
}

/**
 * Records the control room and the rooms it replaced. Predecessors that cannot be asked for now are looked
 * for at each mint anyway.
 */
export async function excludeControlRooms(services: Services): Promise<void> {
  await excludeRoom(services, { roomId: services.controlRoomId as RoomId, why: 'control', userId: null });
  try {
    for (const roomId of await services.chat.controlRoomPredecessors())
      await excludeRoom(services, { roomId, why: 'control', userId: null });
  } catch (error) {
    services.log.warn('predecessors of the control room unknown', { problem: problemOf(error) });
  }
}
