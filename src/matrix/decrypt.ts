import {
  EngineError,
  RoomId as EngineRoomId,
  type DeviceSummary,
  type EncryptionInfo,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import type { Incoming } from '../ports/chat.ts';
import type { EngineClient } from './engine-client.ts';
import type { RoomEvent } from './events.ts';
import { objectAt, stringAt, type HomeserverClient, type JsonObject } from './homeserver.ts';
import { fetchKeys, trackUsers } from './keys.ts';

/** A decrypted event, or why there is none: its key may still come, or it never will. */
export type DecryptionResult =
  | {
      readonly kind: 'clear';
      readonly type: string;
      readonly content: JsonObject;
      readonly encryption: NonNullable<Incoming['encryption']>;
    }
  | { readonly kind: 'no-key' }
  | { readonly kind: 'undecryptable' };

/**
 * Decrypts an event and says how far its sender is known. Asks for the sender's keys where they are not known
 * yet.
 */
export async function decrypt(
  engine: EngineClient,
  homeserver: HomeserverClient,
  roomId: string,
  event: RoomEvent,
): Promise<DecryptionResult> {
  const { machine } = engine;
  return engine.withLock(async () => {
    try {
      let found = await machine.decryptRoomEvent(JSON.stringify(event.raw), new EngineRoomId(roomId));
      if (found.info.trust === 'unknown-device' || (await machine.getIdentity(event.sender)) === undefined) {
        await trackUsers(engine, [event.sender]);
        if (found.info.trust === 'unknown-device') await fetchKeys(machine, homeserver, [event.sender]);
        found = await machine.decryptRoomEvent(JSON.stringify(event.raw), new EngineRoomId(roomId));
      }
      if (found.info.trust === 'identity-changed') {
        await engine.applyPin(event.sender);
        found = await machine.decryptRoomEvent(JSON.stringify(event.raw), new EngineRoomId(roomId));
      }
      const devices = await machine.getUserDevices(event.sender);
      const identity = await machine.getIdentity(event.sender);
      const clear: unknown = JSON.parse(found.event);
      return {
        kind: 'clear',
        type: stringAt(clear, 'type') ?? '',
        content: objectAt(clear, 'content'),
        encryption: {
          sessionId: found.info.sessionId,
          messageIndex: found.info.messageIndex,
          deviceSigned: isFromSignedDevice(found.info, event.sender, devices),
          masterKey: identity?.masterKey ?? null,
          isReplaced: identity?.needsUserApproval === true,
        },
      };
    } catch (error) {
      // What is no Megolm event at all fails in the engine as such: anybody in the room can send one.
      if (!(error instanceof EngineError) || (error.code !== 'undecryptable' && error.code !== 'engine'))
        throw error;
      return { kind: error.reason === 'missing-room-key' ? 'no-key' : 'undecryptable' };
    }
  });
}

/**
 * Whether the event comes from a device of its sender that they have signed, and still have: a session
 * outlives the device it was made on, and the engine's judgement of a session is as old as its key.
 */
export function isFromSignedDevice(
  info: EncryptionInfo,
  sender: string,
  devices: readonly DeviceSummary[],
): boolean {
  if (info.trust !== 'cross-signed' && info.trust !== 'verified') return false;
  if (info.isForwarded || info.sender !== sender) return false;
  const device = devices.find(({ deviceId }) => deviceId === info.senderDevice);
  return (
    device !== undefined &&
    device.isCrossSignedByOwner &&
    !device.isDeleted &&
    !device.isDehydrated &&
    device.curve25519Key === info.senderCurve25519Key &&
    device.ed25519Key === info.senderEd25519Key
  );
}
