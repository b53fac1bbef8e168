import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { type Person, registerPerson, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';
import { realTime } from '../support/wait.ts';

// Whatever a holder tries: neither the subject nor anybody else sees any effect of it.

const enc = encodeURIComponent;

let gateway: ScopedGateway;
let alice: Person;
let bob: Person;
let ops: RoomId;
let secret: RoomId;

type Made = { event_id: string };
const own = <T>(user: Person, method: string, path: string, body?: unknown) =>
  user.request<T>(method, V3 + path, body);

async function attempt(method: string, path: string, body?: unknown): Promise<string> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await gateway.fetch(method, path, init)).text();
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  ops = await bob.createRoom({ name: 'Ops' }, alice);
  secret = await bob.createRoom({ name: 'Secret' }, alice);
  gateway = await startScopedGateway(synapse, alice, { rooms: [ops] });
});

afterAll(() => gateway[Symbol.asyncDispose]());

test('nothing of the subject’s changes, and nobody is notified of anything', async () => {
  const { event_id: event } = await own<Made>(bob, 'PUT', `/rooms/${enc(ops)}/send/m.room.message/1`, {
    msgtype: 'm.text',
    body: 'unread',
  });
  const seen = async (user: Person): Promise<unknown> => {
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
  // A delayed event or a change of presence would come a little later, and nothing tells that it does not.
  await realTime(1_000);
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
