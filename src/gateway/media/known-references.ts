import type { GrantId, RoomId } from '../../domain/ids.ts';
import type { MediaAddress } from '../../domain/media-address.ts';

/** The files that grants were shown, and where: bounded, and gone with the process. */
export interface KnownReferences {
  remember(grantId: GrantId, address: MediaAddress, roomId: RoomId): void;
  /** Whether it was shown in one of these rooms. */
  has(grantId: GrantId, address: MediaAddress, rooms: ReadonlySet<RoomId>): boolean;
  forget(grantId: GrantId): void;
}

const MAX_ROOMS = 4;

/**
 * @param perGrant addresses; the longest unseen goes first
 * @param overall addresses; the grant that was longest without a new one goes first
 */
export function knownReferences(perGrant = 4_000, overall = 200_000): KnownReferences {
  const grants = new Map<GrantId, Map<MediaAddress, readonly RoomId[]>>();
  let total = 0;
  const forget = (grantId: GrantId): void => {
    total -= grants.get(grantId)?.size ?? 0;
    grants.delete(grantId);
  };
  return {
    remember(grantId, address, roomId) {
      const mine = grants.get(grantId) ?? new Map<MediaAddress, readonly RoomId[]>();
      const rooms = mine.get(address) ?? [];
      if (rooms.length === 0) total++;
      mine.delete(address);
      mine.set(address, rooms.includes(roomId) ? rooms : [roomId, ...rooms].slice(0, MAX_ROOMS));
      if (mine.size > perGrant) {
        mine.delete(first(mine.keys()));
        total--;
      }
      grants.delete(grantId);
      grants.set(grantId, mine);
      for (const other of grants.keys()) {
        if (total <= overall || other === grantId) break;
        forget(other);
      }
    },
    has: (grantId, address, rooms) =>
      (grants.get(grantId)?.get(address) ?? []).some((room) => rooms.has(room)),
    forget,
  };
}

function first<T>(keys: MapIterator<T>): T {
  return keys.next().value as T;
}
