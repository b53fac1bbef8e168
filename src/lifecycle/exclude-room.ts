import type { ExcludedRoom } from '../domain/change.ts';
import type { RoomId } from '../domain/ids.ts';
import { problemOf } from './problem.ts';
import type { World } from './services.ts';

/** Records that a room is outside every scope, once. */
export async function excludeRoom(world: World, room: ExcludedRoom): Promise<void> {
  const known = await world.ledger.excluded();
  if (known.some((other) => other.roomId === room.roomId)) return;
  const now = world.clock.now();
  await world.ledger.commit({
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
export async function excludeControlRooms(world: World): Promise<void> {
  await excludeRoom(world, { roomId: world.controlRoomId as RoomId, why: 'control', userId: null });
  try {
    for (const roomId of await world.chat.controlRoomPredecessors())
      await excludeRoom(world, { roomId, why: 'control', userId: null });
  } catch (error) {
    world.log.warn('predecessors of the control room unknown', { problem: problemOf(error) });
  }
}
