import type { RoomId } from '../../domain/ids.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { unlessAborted } from './unless-aborted.ts';

/**
 * The rooms in scope for an answer that speaks of these rooms. A scope of all rooms is looked at anew when
 * one of them is unknown: the subject may just have joined it. Null: the grant is over.
 */
export async function roomsNow(
  control: AccessControl,
  access: Access,
  spokenOf: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<RoomId> | null> {
  if (access.grant.scope.rooms !== 'all' || spokenOf.every((room) => access.rooms.has(room as RoomId))) return access.rooms;
  const anew = await unlessAborted(control.refresh(access.grant.id), signal);
  return anew?.rooms ?? null;
}
