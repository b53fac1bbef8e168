import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/domain/audit.ts';
import { verifyPublishedIdentity } from '../../src/matrix/published-identity.ts';

const ALICE = '@alice:x';
type Pair = { readonly key: string; readonly secret: KeyObject };

function pair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    key: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
      .toString('base64')
      .replaceAll('=', ''),
    secret: privateKey,
  };
}

function signed(object: object, by: Pair): object {
  const signature = sign(null, Buffer.from(canonicalJson(object)), by.secret)
    .toString('base64')
    .replaceAll('=', '');
  return {
    ...object,
    signatures: { [ALICE]: { [`ed25519:${by.key}`]: signature } },
    unsigned: { device_display_name: 'Phone' },
  };
}

function crossKey(usage: string, of: Pair): object {
  return { user_id: ALICE, usage: [usage], keys: { [`ed25519:${of.key}`]: of.key } };
}

function device(deviceId: string, of: Pair): object {
  return {
    user_id: ALICE,
    device_id: deviceId,
    algorithms: ['m.megolm.v1.aes-sha2'],
    keys: { [`ed25519:${deviceId}`]: of.key },
  };
}

const [master, selfSigning, phone, evil] = [pair(), pair(), pair(), pair()];
const honest = {
  master_keys: { [ALICE]: crossKey('master', master) },
  self_signing_keys: { [ALICE]: signed(crossKey('self_signing', selfSigning), master) },
  device_keys: { [ALICE]: { PHONE: signed(device('PHONE', phone), selfSigning) } },
};

test('an identity and the sessions it vouches for', () => {
  expect(verifyPublishedIdentity(honest, ALICE)).toEqual({
    masterKey: master.key,
    sessions: [{ deviceId: 'PHONE', key: phone.key, name: 'Phone' }],
  });
  expect(verifyPublishedIdentity({}, ALICE)).toBeNull();
});

test.each([
  [
    'real sessions under a master key that is somebody else’s',
    { ...honest, master_keys: { [ALICE]: crossKey('master', evil) } },
  ],
  [
    'a self-signing key that the master key has not signed',
    { ...honest, self_signing_keys: { [ALICE]: signed(crossKey('self_signing', selfSigning), evil) } },
  ],
  ['no self-signing key', { ...honest, self_signing_keys: {} }],
  ['a session nobody signed', { ...honest, device_keys: { [ALICE]: { PHONE: device('PHONE', phone) } } }],
  [
    'a session with another key than was signed',
    {
      ...honest,
      device_keys: {
        [ALICE]: {
          PHONE: { ...signed(device('PHONE', phone), selfSigning), keys: { 'ed25519:PHONE': evil.key } },
        },
      },
    },
  ],
  [
    'a session under another id than was signed',
    {
      ...honest,
      device_keys: {
        [ALICE]: {
          OTHER: signed({ ...device('PHONE', phone), keys: { 'ed25519:OTHER': phone.key } }, selfSigning),
        },
      },
    },
  ],
  [
    'no keys at all',
    {
      ...honest,
      self_signing_keys: { [ALICE]: { ...crossKey('self_signing', selfSigning), keys: { a: 'x', b: 'y' } } },
    },
  ],
])('not %s', (_name, answer) => {
  expect(verifyPublishedIdentity(answer, ALICE)?.sessions).toEqual([]);
});
