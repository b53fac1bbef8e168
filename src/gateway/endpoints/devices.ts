import type { Endpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';

const C = '/_matrix/client/{v}';
const DEVICES = 'The subject’s devices belong to the subject.';
const BACKUP = 'The subject’s key backup decrypts messages of every room.';
const CROSS_SIGNING = 'Signing for the subject takes over their identity.';
const DEHYDRATED = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device';

/**
 * Devices and keys: the subject's identity, in no scope. What clients ask at start is answered in
 * `bookkeeping.ts`.
 */
export const DEVICES_AND_KEYS: readonly Endpoint[] = [
  never('getDevice', 'GET', `${C}/devices/{deviceId}`, DEVICES),
  never('updateDevice', 'PUT', `${C}/devices/{deviceId}`, DEVICES),
  never('deleteDevice', 'DELETE', `${C}/devices/{deviceId}`, DEVICES),
  never('deleteDevices', 'POST', `${C}/delete_devices`, DEVICES),
  never('uploadCrossSigningKeys', 'POST', `${C}/keys/device_signing/upload`, CROSS_SIGNING),
  never('uploadCrossSigningSignatures', 'POST', `${C}/keys/signatures/upload`, CROSS_SIGNING),
  never('claimKeys', 'POST', `${C}/keys/claim`, 'Uses up one-time keys of other people’s devices.'),
  never(
    'sendToDevice',
    'PUT',
    `${C}/sendToDevice/{eventType}/{txnId}`,
    'Sends to devices without any room seeing it.',
  ),
  never('postRoomKeysVersion', 'POST', `${C}/room_keys/version`, BACKUP),
  never('getRoomKeysVersion', 'GET', `${C}/room_keys/version/{version}`, BACKUP),
  never('putRoomKeysVersion', 'PUT', `${C}/room_keys/version/{version}`, BACKUP),
  never('deleteRoomKeysVersion', 'DELETE', `${C}/room_keys/version/{version}`, BACKUP),
  never('putRoomKeyBySessionId', 'PUT', `${C}/room_keys/keys/{roomId}/{sessionId}`, BACKUP),
  never('getRoomKeyBySessionId', 'GET', `${C}/room_keys/keys/{roomId}/{sessionId}`, BACKUP),
  never('deleteRoomKeyBySessionId', 'DELETE', `${C}/room_keys/keys/{roomId}/{sessionId}`, BACKUP),
  never('putRoomKeysByRoomId', 'PUT', `${C}/room_keys/keys/{roomId}`, BACKUP),
  never('getRoomKeysByRoomId', 'GET', `${C}/room_keys/keys/{roomId}`, BACKUP),
  never('deleteRoomKeysByRoomId', 'DELETE', `${C}/room_keys/keys/{roomId}`, BACKUP),
  never('putRoomKeys', 'PUT', `${C}/room_keys/keys`, BACKUP),
  never('getRoomKeys', 'GET', `${C}/room_keys/keys`, BACKUP),
  never('deleteRoomKeys', 'DELETE', `${C}/room_keys/keys`, BACKUP),
  never(
    'dehydratedDevice',
    ['PUT', 'POST', 'DELETE'],
    [
      `${C}/dehydrated_device`,
      DEHYDRATED,
      '/_matrix/client/unstable/org.matrix.msc2697.v2/dehydrated_device',
    ],
    'Creates a device that outlives the token.',
    { source: 'unstable' },
  ),
  never(
    'dehydratedDeviceEvents',
    'any',
    [`${C}/dehydrated_device/**`, `${DEHYDRATED}/**`],
    'The keys that are waiting for that device.',
    {
      source: 'unstable',
    },
  ),
  never(
    'keysFamily',
    'any',
    [
      `${C}/keys/**`,
      `${C}/room_keys/**`,
      `${C}/devices/**`,
      `${C}/sendToDevice/**`,
      '/_matrix/client/unstable/org.matrix.msc3983/**',
      '/_matrix/client/unstable/org.matrix.msc2697.v2/**',
    ],
    'All other paths for keys and devices.',
    { source: 'family' },
  ),
];
