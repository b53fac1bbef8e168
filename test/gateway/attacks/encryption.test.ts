import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENFORCED } from '../../../src/domain/enforced.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { ALICE, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// The subject's devices, keys and secrets: anyone who has them can read what was said, or act as the subject.
// Advisories looked at: CVE-2022-39250 and CVE-2022-39251 (matrix-js-sdk: device ids taken for cross-signing
// keys, to-device messages from anyone), CVE-2022-39246 (matrix-android-sdk2: forwarded keys),
// CVE-2025-61672 (Synapse: device keys that are none, for everybody else), CVE-2023-43796 (Synapse: devices
// of users elsewhere can be asked for). What they have in common: keys, messages to devices and lists of
// devices that come from where they should not. Here nothing of it passes, either way; what clients ask for
// at start is answered without asking the homeserver, so that neither one-time keys nor waiting messages of
// the subject are used up.

const ALL: Scope['can'] = ENFORCED.capabilities.map((name) =>
  name === 'account-data' ? 'account-data:com.*' : name,
);
let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: ALL } } });
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => {
  s.homeserver.seen.length = 0;
  s.homeserver.answer(() => ({}));
});

const VERSIONS = ['v3', 'r0', 'v1', 'unstable'];
const BODY = JSON.stringify({
  device_keys: {
    user_id: ALICE,
    device_id: 'EVIL',
    keys: { 'ed25519:EVIL': 'x' },
    algorithms: [],
    signatures: {},
  },
  one_time_keys: { 'signed_curve25519:AAAA': { key: 'x' } },
  master_key: { user_id: ALICE, usage: ['master'], keys: { 'ed25519:x': 'x' } },
  messages: { [ALICE]: { '*': { type: 'm.room_key_request' } } },
  algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
  auth_data: { public_key: 'x' },
});

describe('refused whatever is granted, the homeserver not asked', () => {
  test.each([
    ['POST', 'keys/device_signing/upload', 'cross-signing keys (CVE-2022-39250)'],
    ['POST', 'keys/signatures/upload', 'signatures'],
    ['POST', 'keys/claim', 'other people’s one-time keys'],
    ['PUT', 'sendToDevice/m.room_key/1', 'a key forced upon a device (CVE-2022-39251)'],
    ['PUT', 'sendToDevice/m.forwarded_room_key/1', 'a forwarded key (CVE-2022-39246)'],
    ['PUT', 'sendToDevice/m.secret.send/1', 'a secret'],
    ['PUT', 'sendToDevice/m.room_key_request/1', 'a request for keys'],
    ['PUT', 'sendToDevice/m.key.verification.request/1', 'a verification'],
    ['POST', 'sendToDevice/m.room_key/1', 'the same with another method'],
    ['GET', 'room_keys/version/1', 'a version of the backup'],
    ['POST', 'room_keys/version', 'a new backup'],
    ['PUT', 'room_keys/version/1', 'a changed backup'],
    ['DELETE', 'room_keys/version/1', 'a backup taken away'],
    ['GET', 'room_keys/keys', 'all keys'],
    ['GET', `room_keys/keys/${OPS}`, 'the keys of a room in scope'],
    ['GET', `room_keys/keys/${OPS}/x`, 'one key of a room in scope'],
    ['PUT', `room_keys/keys/${OPS}/x?version=1`, 'a key of somebody’s own making'],
    ['DELETE', `room_keys/keys/${OPS}`, 'the keys of a room, taken away'],
    ['GET', 'devices/EVIL', 'a device'],
    ['PUT', 'devices/EVIL', 'a device’s name'],
    ['DELETE', 'devices/EVIL', 'a device, ended'],
    ['POST', 'delete_devices', 'devices, ended'],
  ])('%s %s: %s', async (method, below) => {
    for (const version of VERSIONS) {
      const got = await s.ask(
        method,
        `/_matrix/client/${version}/${below}`,
        method === 'GET' ? {} : { body: BODY },
      );
      expect(got).toMatchObject({
        status: 403,
        body: { errcode: 'M_FORBIDDEN', error: 'This token does not allow that.' },
      });
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    'm.secret_storage.default_key',
    'm.secret_storage.key.abc',
    'm.cross_signing.master',
    'm.cross_signing.self_signing',
    'm.megolm_backup.v1',
    'org.matrix.msc3814',
    'm.org.matrix.custom.backup_disabled',
  ])('account data %s: not there, not written', async (type) => {
    const path = `/_matrix/client/v3/user/${ALICE}/account_data/${type}`;
    expect((await s.ask('GET', path)).status).toBe(404);
    expect((await s.ask('PUT', path, { body: '{}' })).status).toBe(403);
    expect(
      (
        await s.ask(
          'PUT',
          path
            .toUpperCase()
            .replace(
              '/_MATRIX/CLIENT/V3/USER/@ALICE:HS.TEST/ACCOUNT_DATA',
              `/_matrix/client/v3/user/${ALICE}/account_data`,
            ),
          { body: '{}' },
        )
      ).status,
    ).toBe(403);
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    'org.matrix.msc2697.v2/dehydrated_device',
    'org.matrix.msc3814.v1/dehydrated_device',
    'org.matrix.msc3814.v1/dehydrated_device/EVIL/events',
  ])('dehydrated devices: %s', async (below) => {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      expect((await s.ask(method, `/_matrix/client/unstable/${below}`, { body: BODY })).status).toBe(403);
    }
    expect([403, 404]).toContain((await s.ask('GET', `/_matrix/client/unstable/${below}`)).status);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('answered here, so that nothing of the subject’s is used up', () => {
  test.each([
    ['POST', 'keys/upload', { one_time_key_counts: { signed_curve25519: 50 } }],
    ['POST', 'keys/query', { device_keys: {}, failures: {} }],
    ['GET', 'keys/changes?from=s1&to=s2', { changed: [], left: [] }],
    ['GET', 'devices', { devices: [] }],
  ])('%s %s (CVE-2025-61672, CVE-2023-43796)', async (method, below, expected) => {
    for (const version of VERSIONS) {
      const got = await s.ask(
        method,
        `/_matrix/client/${version}/${below}`,
        method === 'GET' ? {} : { body: BODY },
      );
      expect(got).toMatchObject({ status: 200, body: expected });
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  // The Rust engine asks again, without pause, about whom the answer leaves out.
  test.each<[asked: object, of: object]>([
    [
      { [ALICE]: [], '@bob:hs.test': ['D'] },
      { [ALICE]: {}, '@bob:hs.test': {} },
    ],
    [{ ['@eve:elsewhere.test']: [] }, { ['@eve:elsewhere.test']: {} }],
    [{ nobody: [], '': [], '@x': [] }, {}],
    [[], {}],
  ])('devices of %j: none, of each', async (asked, of) => {
    const got = await s.ask('POST', '/_matrix/client/v3/keys/query', {
      body: JSON.stringify({ device_keys: asked, token: 's1' }),
    });
    expect([got.status, got.body]).toEqual([200, { device_keys: of, failures: {} }]);
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each(['room_keys/version', 'dehydrated_device'])('GET %s is never there', async (below) => {
    expect((await s.ask('GET', `/_matrix/client/v3/${below}`)).status).toBe(404);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('a sync', () => {
  const told = {
    next_batch: 's2',
    to_device: {
      events: [{ type: 'm.room_key', sender: '@bob:hs.test', content: { session_key: 'SECRET' } }],
    },
    device_lists: { changed: ['@stranger:hs.test'], left: [] },
    device_one_time_keys_count: { signed_curve25519: 7 },
    device_unused_fallback_key_types: ['signed_curve25519'],
    'org.matrix.msc2732.device_unused_fallback_key_types': ['x'],
    rooms: { join: { [OPS]: { timeline: { events: [], limited: false } } } },
  };
  test('shows no messages to devices, no counts of keys, no lists of devices', async () => {
    s.homeserver.answer(() => told);
    const { body } = await s.ask('GET', '/_matrix/client/v3/sync');
    expect(JSON.stringify(body)).not.toMatch(/SECRET|stranger|curve25519|"to_device":\{"events":\[\{/);
  });

  test('does not say which messages to devices were taken: only the homeserver’s own position is passed on', async () => {
    s.homeserver.answer(() => told);
    await s.ask(
      'GET',
      '/_matrix/client/v3/sync?since=s1&org.matrix.msc3575.to_device=1&delete_to_device=true',
    );
    expect([...(s.homeserver.seen[0]?.query.keys() ?? [])].toSorted()).toEqual([
      'filter',
      'set_presence',
      'since',
      'timeout',
    ]);
  });
});

describe('a message', () => {
  test('that verifies a device is sent in no room', async () => {
    const send = (type: string, body: object) =>
      s.ask('PUT', `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/send/${type}/1`, {
        body: JSON.stringify(body),
      });
    expect(
      (
        await send('m.room.message', {
          msgtype: 'm.key.verification.request',
          from_device: 'X',
          methods: [],
          to: '@bob:hs.test',
        })
      ).status,
    ).toBe(403);
    for (const type of [
      'm.key.verification.start',
      'm.room.encrypted',
      'm.room_key',
      'm.forwarded_room_key',
      'm.secret.send',
    ]) {
      expect((await send(type, {})).status).toBe(403);
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('whether a room is encrypted, asked by who may send and not read', () => {
  const STATE = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/state`;
  const content = { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 1, 'org.leak': SECRET };
  const sender = (can: Scope['can'], more: Partial<Scope> = {}) =>
    stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can, ...more } } });

  test.each(['send', 'send:m.room.message', 'send:m.room.encrypted'] as const)(
    '%s: the algorithm and nothing else',
    async (can) => {
      await using one = await sender([can]);
      one.homeserver.answer(() => content);
      for (const below of ['m.room.encryption', 'm.room.encryption/', 'm.room.encryption?format=content']) {
        expect(await one.ask('GET', `${STATE}/${below}`)).toMatchObject({
          status: 200,
          body: { algorithm: 'm.megolm.v1.aes-sha2' },
        });
        expect(Object.keys((await one.ask('GET', `${STATE}/${below}`)).body)).toEqual(['algorithm']);
      }
      const whole = await one.ask('GET', `${STATE}/m.room.encryption?format=event`);
      expect(whole).toMatchObject({
        status: 403,
        body: { error: 'This token does not hold the capability read.' },
      });
      expect(new Set(one.homeserver.seen.map(({ path }) => path.replace(/\/$/, '')))).toEqual(
        new Set([`${STATE}/m.room.encryption`]),
      );
      one.homeserver.answer(
        (_, response) =>
          void response
            .writeHead(404, { 'content-type': 'application/json' })
            .end('{"errcode":"M_NOT_FOUND","error":"Event not found."}'),
      );
      expect(await one.ask('GET', `${STATE}/m.room.encryption`)).toMatchObject({
        status: 404,
        body: { errcode: 'M_NOT_FOUND' },
      });
      for (const odd of [[], { algorithm: { leak: SECRET } }, { algorithm: null }]) {
        one.homeserver.answer(() => odd);
        expect(JSON.stringify((await one.ask('GET', `${STATE}/m.room.encryption`)).body)).not.toContain(
          'secret',
        );
      }
    },
  );

  test('no other state, no key, no other room, and with no other capability; the homeserver is not asked', async () => {
    await using one = await sender(['send']);
    const others = [
      'm.room.name',
      'm.room.encryption/x',
      'm.room.encryptio%6E',
      'm.room.encryption%00',
      'M.ROOM.ENCRYPTION',
      'm.room.encryption/x/',
      '',
    ];
    for (const below of others)
      expect((await one.ask('GET', `${STATE}/${below}`)).status).toBeGreaterThanOrEqual(400);
    for (const room of [SECRET, '!nobody:hs.test'])
      expect(
        await one.ask('GET', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.encryption`),
      ).toMatchObject({
        status: 403,
        body: { error: 'This token does not allow that.' },
      });
    expect(one.homeserver.seen).toEqual([]);
    for (const can of [
      ['react', 'redact'],
      ['plaintext'],
      ['state:m.room.topic'],
      ['upload'],
    ] satisfies Scope['can'][]) {
      await using other = await sender(can);
      expect((await other.ask('GET', `${STATE}/m.room.encryption`)).status).toBe(403);
      expect(other.homeserver.seen).toEqual([]);
    }
  });
});

test('what needs a device of its own is not enforced, so it cannot be minted', () => {
  expect(ENFORCED.capabilities).not.toContain('keys');
  expect(ENFORCED.capabilities).not.toContain('to-device');
});
