import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { grantDesk } from '../gateway/support/grant-desk.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';

// Whatever a holder tries, to the subject and to everybody else it did not happen.

const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const enc = encodeURIComponent;

let gateway: Gateway;
let alice: TestUser;
let bob: TestUser;
let ops: RoomId;
let secret: RoomId;

type Made = { room_id: RoomId; event_id: string };
const own = <T>(user: TestUser, method: string, path: string, body?: unknown) =>
  matrixRequest<T>(sharedSynapse().baseUrl, method, V3 + path, {
    token: user.accessToken,
    ...(body === undefined ? {} : { body }),
  });

async function attempt(method: string, path: string, body?: unknown): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.text();
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await synapse.uniqueUser('alice');
  bob = await synapse.uniqueUser('bob');
  [ops, secret] = await Promise.all(
    ['Ops', 'Secret'].map(async (name) => {
      const { room_id: room } = await own<Made>(bob, 'POST', '/createRoom', { name, invite: [alice.userId] });
      await own(alice, 'POST', `/join/${enc(room)}`, {});
      return room;
    }) as [Promise<RoomId>, Promise<RoomId>],
  );
  const minted = await matrixRequest<{ access_token: string }>(
    synapse.baseUrl,
    'POST',
    `/_synapse/admin/v1/users/${enc(alice.userId)}/login`,
    { token: synapse.adminToken, body: { valid_until_ms: Date.now() + 3_600_000 } },
  );
  const desk = grantDesk(minted.access_token);
  desk.add(TOKEN, { grant: grantOf([ops], { subject: alice.userId as UserId }), rooms: new Set([ops]) });
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: synapse.baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: quiet,
  });
});

afterAll(() => gateway.close());

test('nothing of the subject’s is moved, and nobody is told anything', async () => {
  const { event_id: event } = await own<Made>(bob, 'PUT', `/rooms/${enc(ops)}/send/m.room.message/1`, {
    msgtype: 'm.text',
    body: 'unread',
  });
  const seen = async (user: TestUser): Promise<unknown> => {
    const sync = await own<Record<string, unknown>>(
      user,
      'GET',
      '/sync?set_presence=offline&full_state=true',
    );
    const rest = Object.entries(sync).filter(([name]) => name !== 'next_batch');
    // How old an event is changes by itself.
    return JSON.parse(
      JSON.stringify(Object.fromEntries(rest), (name, value: unknown) =>
        name === 'age' ? undefined : value,
      ),
    );
  };
  const state = async (): Promise<unknown> => ({
    alice: await seen(alice),
    bob: await seen(bob),
    devices: (await own<{ devices: { device_id: string }[] }>(alice, 'GET', '/devices')).devices.map(
      (one) => one.device_id,
    ),
    profile: await own(alice, 'GET', `/profile/${enc(alice.userId)}`),
    presence: (await own<{ presence: string }>(bob, 'GET', `/presence/${enc(alice.userId)}/status`)).presence,
    pushers: await own(alice, 'GET', '/pushers'),
  });
  const before = await state();

  const me = enc(alice.userId);
  const at = `${V3}/rooms/${enc(ops)}`;
  for (const [method, path, body] of [
    ['POST', `${at}/receipt/m.read/${enc(event)}`, {}],
    ['POST', `${at}/read_markers`, { 'm.fully_read': event, 'm.read': event }],
    ['PUT', `${at}/typing/${me}`, { typing: true, timeout: 60_000 }],
    ['PUT', `${V3}/presence/${me}/status`, { presence: 'online' }],
    ['GET', `${V3}/sync?set_presence=online`],
    ['GET', `${V3}/sync?set_presence=unavailable&full_state=true`],
    ['POST', `${V3}/keys/upload`, { one_time_keys: { 'signed_curve25519:A': {} } }],
    [
      'POST',
      `${V3}/keys/claim`,
      { one_time_keys: { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } } },
    ],
    ['PUT', `${V3}/user/${me}/account_data/m.ignored_user_list`, { ignored_users: { [bob.userId]: {} } }],
    ['PUT', `${V3}/user/${me}/rooms/${enc(ops)}/account_data/m.fully_read`, { event_id: event }],
    ['PUT', `${V3}/user/${me}/rooms/${enc(ops)}/tags/m.lowpriority`, {}],
    ['PUT', `${V3}/profile/${me}/displayname`, { displayname: 'not alice' }],
    ['PUT', `${at}/state/m.room.member/${me}`, { membership: 'join', displayname: 'not alice' }],
    ['POST', `${at}/join`, { reason: 'not alice' }],
    ['POST', `${V3}/rooms/${enc(secret)}/leave`, {}],
    ['POST', `${at}/forget`, {}],
    ['PUT', `${at}/send/m.room.message/1`, { msgtype: 'm.text', body: 'not alice' }],
    ['POST', `${at}/send/m.room.message`, { msgtype: 'm.text', body: 'not alice' }],
    [
      'PUT',
      `${at}/send/m.room.message/2?org.matrix.msc4140.delay=1`,
      { msgtype: 'm.text', body: 'not alice' },
    ],
    ['PUT', `${at}/redact/${enc(event)}/1`, {}],
    ['PUT', `${V3}/sendToDevice/m.room_key_request/1`, { messages: { [bob.userId]: { '*': {} } } }],
    ['POST', `${V3}/pushers/set`, { kind: 'http' }],
    ['POST', `${V3}/user/${me}/openid/request_token`, {}],
    ['POST', `${V3}/delete_devices`, { devices: [alice.deviceId] }],
    ['POST', `${V3}/logout/all`, {}],
  ] as const) {
    await attempt(method, path, body);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await state()).toEqual(before);
});

test('what people put into events stays content', async () => {
  const lie = {
    msgtype: 'm.text',
    body: 'a lie',
    room_id: secret,
    event_id: '$other',
    sender: alice.userId,
    unsigned: { transaction_id: 'x' },
    state_key: '',
    rooms: { join: { [secret]: {} } },
    constructor: { prototype: { polluted: true } },
  };
  // A key that an object literal would take for something else.
  const body = JSON.parse(JSON.stringify(lie).replace('{', '{"__proto__":{"polluted":true},')) as unknown;
  const { event_id: event } = await own<Made>(bob, 'PUT', `/rooms/${enc(ops)}/send/m.room.message/lie`, body);
  await own(bob, 'PUT', `/rooms/${enc(ops)}/state/__proto__/__proto__`, body);
  const at = `${V3}/rooms/${enc(ops)}`;
  const got = JSON.parse(await attempt('GET', `${at}/event/${enc(event)}`)) as Record<string, unknown>;
  expect(got).toMatchObject({
    room_id: ops,
    event_id: event,
    sender: bob.userId,
    content: { room_id: secret },
  });
  expect(got).not.toHaveProperty('state_key');
  const sync = JSON.parse(await attempt('GET', `${V3}/sync`)) as { rooms: Record<string, object> };
  expect(Object.keys(sync.rooms['join'] ?? {})).toEqual([ops]);
  expect(await attempt('GET', `${at}/state/__proto__/__proto__`)).toContain('"__proto__":{"polluted":true}');
  expect({}).not.toHaveProperty('polluted');
  for (const below of [
    'state',
    'members',
    'joined_members',
    'messages?dir=b&limit=1000',
    `context/${enc(event)}`,
  ]) {
    expect(await attempt('GET', `${at}/${below}`)).not.toContain('errcode');
  }
});
