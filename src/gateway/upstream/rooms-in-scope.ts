import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { unlessAborted } from '../http/unless-aborted.ts';

/**
 * The rooms in scope for an answer that names these rooms. A scope that can grow is looked up again when
 * one of them is unknown: the subject may just have joined it. At once (no promise) otherwise. Null: the
 * grant is over.
 */
export function roomsInScope(
  control: AccessControl,
  access: Access,
  spokenOf: readonly string[],
  signal: AbortSignal,
): ReadonlySet<RoomId> | null | Promise<ReadonlySet<RoomId> | null> {
  if (!canGrow(access.grant.scope)) return access.rooms;
  const unknown = spokenOf.filter((room) => !access.rooms.has(room as RoomId)) as RoomId[];
  return unknown.length === 0 ? access.rooms : refreshed(control, access, unknown, signal);
}

async function refreshed(
  control: AccessControl,
  access: Access,
  unknown: readonly RoomId[],
  signal: AbortSignal,
): Promise<ReadonlySet<RoomId> | null> {
  const current = await unlessAborted(control.refreshRooms(access.grant.id, unknown), signal);
  return current?.rooms ?? null;
}
