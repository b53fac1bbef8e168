import type { RoomId } from '../../domain/ids.ts';

/** Room version 12: `!` and the hash of the create event, 32 bytes in unpadded URL-safe base64 (MSC4291). */
const HASH_ID = /^![A-Za-z0-9_-]{43}$/;
const WITH_SERVER = /^![^:]+:[A-Za-z0-9.\-_[\]:]+$/;

/** Whether it can be all of a room id: people also write the beginning of one. */
export function isWholeRoomId(roomId: RoomId): boolean {
  return WITH_SERVER.test(roomId) || HASH_ID.test(roomId);
}
