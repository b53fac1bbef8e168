import type { Line, Method } from './line.ts';

/** Refused to every token. */
function never(id: string, methods: readonly Method[] | 'any', paths: readonly string[], why: string): Line {
  return { id, kind: 'refused', methods, paths, why };
}

/**
 * What no scope will ever hold: what mints or outlives credentials, takes over an identity or blinds the
 * subject. Named, so that the refusal is a decision and not an oversight.
 */
export const NEVER: readonly Line[] = [
  never('login', 'any', ['/_matrix/client/{v}/login', '/_matrix/client/{v}/login/**'], 'Makes credentials.'),
  never('refresh', 'any', ['/_matrix/client/{v}/refresh'], 'Makes credentials.'),
  never('register', 'any', ['/_matrix/client/{v}/register', '/_matrix/client/{v}/register/**'], 'Makes accounts.'),
  never('logoutAll', 'any', ['/_matrix/client/{v}/logout/all'], 'Would throw the subject out of their own devices.'),
  never('account', 'any', ['/_matrix/client/{v}/account/**'], 'Password, third-party ids, deactivation: takes over the account.'),
  never('devices', ['PUT', 'POST', 'DELETE'], ['/_matrix/client/{v}/devices/**'], 'The subject’s devices are theirs.'),
  never('deleteDevices', 'any', ['/_matrix/client/{v}/delete_devices'], 'The subject’s devices are theirs.'),
  never(
    'crossSigning',
    'any',
    ['/_matrix/client/{v}/keys/device_signing/upload', '/_matrix/client/{v}/keys/signatures/upload'],
    'Takes over the identity.',
  ),
  never('claimKeys', 'any', ['/_matrix/client/{v}/keys/claim'], 'Uses up what other people’s devices have put there.'),
  never('roomKeys', ['PUT', 'POST', 'DELETE'], ['/_matrix/client/{v}/room_keys/**'], 'The subject’s key backup.'),
  never(
    'roomKeysRead',
    ['GET'],
    ['/_matrix/client/{v}/room_keys/keys', '/_matrix/client/{v}/room_keys/keys/**'],
    'The subject’s key backup.',
  ),
  never('sendToDevice', 'any', ['/_matrix/client/{v}/sendToDevice/**'], 'Speaks to devices unseen by any room.'),
  never(
    'dehydratedDevice',
    ['PUT', 'POST', 'DELETE'],
    [
      '/_matrix/client/{v}/dehydrated_device',
      '/_matrix/client/{v}/dehydrated_device/**',
      '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
      '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/**',
    ],
    'A device that outlives the token.',
  ),
  never(
    'rendezvous',
    'any',
    ['/_matrix/client/{v}/rendezvous', '/_matrix/client/{v}/rendezvous/**', '/_matrix/client/unstable/{msc}/rendezvous'],
    'Signs new devices in.',
  ),
  never('requestOpenIdToken', 'any', ['/_matrix/client/{v}/user/{userId}/openid/**'], 'Makes a credential for other services.'),
  never(
    'pushers',
    'any',
    ['/_matrix/client/{v}/pushers', '/_matrix/client/{v}/pushers/**'],
    'Outlives the token, and carries messages elsewhere.',
  ),
  never('pushRulesWrite', ['PUT', 'POST', 'DELETE'], ['/_matrix/client/{v}/pushrules/**'], 'Could keep the notice from ringing.'),
  never(
    'delayedEvents',
    'any',
    ['/_matrix/client/unstable/org.matrix.msc4140/**', '/_matrix/client/{v}/delayed_events', '/_matrix/client/{v}/delayed_events/**'],
    'Fires after the token is gone.',
  ),
  never(
    'setAccountData',
    ['PUT', 'POST', 'DELETE'],
    ['/_matrix/client/{v}/user/{userId}/account_data/{type}', '/_matrix/client/{v}/user/{userId}/rooms/{roomId}/account_data/{type}'],
    'Ignored users, direct rooms, secrets: could blind the subject.',
  ),
  never('setPresence', ['PUT'], ['/_matrix/client/{v}/presence/{userId}/status'], 'The subject is not there because a program is.'),
  never(
    'setProfileField',
    ['PUT', 'POST', 'DELETE'],
    ['/_matrix/client/{v}/profile/{userId}/{keyName}'],
    'How the subject is called is theirs to say.',
  ),
  never('createRoom', 'any', ['/_matrix/client/{v}/createRoom', '/_matrix/client/{v}/createRoom/{txnId}'], 'No scope makes rooms.'),
  never(
    'membership',
    ['POST', 'PUT'],
    ['leave', 'forget', 'invite', 'kick', 'ban', 'unban', 'upgrade'].flatMap((act) => [
      `/_matrix/client/{v}/rooms/{roomId}/${act}`,
      `/_matrix/client/{v}/rooms/{roomId}/${act}/{txnId}`,
    ]),
    'Who is in a room is not in any scope; leaving the notice’s room would hide it.',
  ),
  never('knock', 'any', ['/_matrix/client/{v}/knock/{roomId}'], 'Who is in a room is not in any scope.'),
  never(
    'joinWithTransaction',
    ['PUT'],
    ['/_matrix/client/{v}/join/{roomId}/{txnId}', '/_matrix/client/{v}/rooms/{roomId}/join/{txnId}'],
    'No spec names it; Synapse has it.',
  ),
  never('clientAdmin', 'any', ['/_matrix/client/{v}/admin/**'], 'Administration.'),
  never('synapse', 'any', ['/_synapse/**'], 'Administration.'),
  never('otherApis', 'any', ['/_matrix/federation/**', '/_matrix/key/**', '/_matrix/app/**', '/_matrix/identity/**'], 'Not for clients.'),
];
