import { RoomId, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { EngineError } from './errors.ts';
import { firstPart } from './store/device-rows.ts';
import type { Retention } from './store/retention.ts';

/** A Megolm message of version 3 with index 0, one byte of ciphertext and zeros for MAC and signature. */
const NO_MESSAGE = Buffer.concat([Buffer.from([3, 0x08, 0, 0x12, 1, 0]), Buffer.alloc(72)])
  .toString('base64')
  .replaceAll('=', '');

/**
 * A room as the keys of the store name it, hashed with a secret of the engine's: it is found by asking the
 * engine for a room key that does not exist, and looking at what it looks for.
 * @throws EngineError where it does not look for exactly one
 */
export async function hashOfRoom(machine: OlmMachine, retention: Retention, roomId: string): Promise<string> {
  const key = await retention.keyLookedFor(() =>
    machine.getRoomEventEncryptionInfo(noEvent(roomId), new RoomId(roomId)).catch(() => undefined),
  );
  if (key !== null) return firstPart(key);
  throw new EngineError(
    'engine',
    'The rows of a room could not be found in the encryption store.',
    'Report it.',
  );
}

function noEvent(roomId: string): string {
  return JSON.stringify({
    type: 'm.room.encrypted',
    event_id: '$none',
    room_id: roomId,
    sender: '@none:none.invalid',
    origin_server_ts: 0,
    content: { algorithm: 'm.megolm.v1.aes-sha2', session_id: 'none', ciphertext: NO_MESSAGE },
  });
}
