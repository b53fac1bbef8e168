import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Allowance } from '../../src/domain/allowance.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { Scope } from '../../src/domain/scope.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';
import { matrixRequest, MatrixHttpError } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';

/** State, memberships and ceilings of power, against the real Synapse. */
const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';
const ALL: readonly Allowance[] = [
  'read',
  'send',
  'react',
  'redact',
  'redact-others',
  'state',
  'join',
  'leave',
  'knock',
  'invite',
  'kick',
  'ban',
  'unban',
];
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const hello = { msgtype: 'm.text', body: 'hello' };

let alice: TestUser;
let bob: TestUser;
let upstream: string;
let gateway: Gateway | null = null;
let txn = 0;

const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
const direct = <T>(user: TestUser, method: string, path: string, body?: unknown) =>
  matrixRequest<T>(sharedSynapse().baseUrl, method, path, {
    token: user.accessToken,
    ...(body === undefined ? {} : { body }),
  });
const ask = <T = unknown>(method: string, path: string, body: unknown = {}) =>
  matrixRequest<T>(`http://127.0.0.1:${gateway?.port}`, method, path, { token: TOKEN, body });
const status = async (asking: Promise<unknown>) => {
  const error: unknown = await asking.then(
    () => 200,
    (reason: unknown) => reason,
  );
  return error instanceof MatrixHttpError ? error.status : error;
};
const act = (room: string, what: string, user: TestUser) =>
  ask('POST', inRoom(room, what), { user_id: user.userId });
const setTopic = (room: string, topic: string) =>
  ask<{ event_id: string }>('PUT', inRoom(room, 'state/m.room.topic'), { topic });
const topicOf = async (room: string) =>
  (
    await direct<{ topic?: string }>(alice, 'GET', inRoom(room, 'state/m.room.topic/')).catch(() => ({
      topic: undefined,
    }))
  ).topic;
const membershipOf = async (seer: TestUser, room: string, user: TestUser) =>
  (
    await direct<{ membership: string }>(
      seer,
      'GET',
      inRoom(room, `state/m.room.member/${encodeURIComponent(user.userId)}`),
    )
  ).membership;

async function roomOf(user: TestUser, more: object = {}): Promise<RoomId> {
  return (await direct<{ room_id: RoomId }>(user, 'POST', `${V3}/createRoom`, more)).room_id;
}

/** A gateway of this scope. */
async function scoped(
  rooms: readonly RoomId[],
  can: readonly Allowance[],
  more: Partial<Scope> = {},
): Promise<GrantDesk> {
  await gateway?.close();
  const desk = grantDesk(upstream);
  const grant = grantOf(rooms, { subject: alice.userId as UserId, scope: { v: 1, rooms, can, ...more } });
  desk.add(TOKEN, { grant, rooms: new Set(rooms) });
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: sharedSynapse().baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: quiet,
    limits: { writesAtOnce: 1_000 },
  });
  return desk;
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await synapse.uniqueUser('alice');
  bob = await synapse.uniqueUser('bob');
  const path = `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/login`;
  const body = { valid_until_ms: Date.now() + 3_600_000 };
  upstream = (
    await matrixRequest<{ access_token: string }>(synapse.baseUrl, 'POST', path, {
      token: synapse.adminToken,
      body,
    })
  ).access_token;
});

afterAll(() => gateway?.close());

describe('what is granted happens, as the subject', () => {
  test('a topic is set, by type, by type and key, and again', async () => {
    const room = await roomOf(alice);
    await scoped([room], ['state:m.room.topic:', 'state:com.example.a:k']);
    const { event_id: first } = await setTopic(room, 'one');
    expect(await topicOf(room)).toBe('one');
    expect(await setTopic(room, 'one')).toEqual({ event_id: first });
    await ask('PUT', inRoom(room, 'state/com.example.a/k'), { x: 1 });
    expect(await direct(alice, 'GET', inRoom(room, 'state/com.example.a/k'))).toEqual({ x: 1 });
    expect(await status(ask('PUT', inRoom(room, 'state/com.example.a/l'), { x: 1 }))).toBe(403);
    expect(await status(ask('PUT', inRoom(room, 'state/m.room.name'), { name: 'x' }))).toBe(403);
  });

  test('bob is invited, kicked, banned, and may come back', async () => {
    const room = await roomOf(alice);
    await scoped([room], ALL);
    await act(room, 'invite', bob);
    expect(await membershipOf(alice, room, bob)).toBe('invite');
    await direct(bob, 'POST', `${V3}/join/${encodeURIComponent(room)}`, {});
    await act(room, 'kick', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
    await act(room, 'ban', bob);
    expect(await membershipOf(alice, room, bob)).toBe('ban');
    expect(await status(act(room, 'kick', bob))).toBe(403);
    expect(await membershipOf(alice, room, bob)).toBe('ban');
    await act(room, 'unban', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
    expect(await status(act(room, 'unban', bob))).toBe(403);
  });

  test('an invite to a named room is accepted, the room left, forgotten, and another invite rejected', async () => {
    const room = await roomOf(bob, { invite: [alice.userId] });
    await scoped([room], ['read']);
    expect(await status(ask('POST', `${V3}/join/${encodeURIComponent(room)}`))).toBe(403);
    await scoped([room], ['join', 'leave']);
    expect(await ask('POST', `${V3}/join/${encodeURIComponent(room)}?via=evil.test`)).toEqual({
      room_id: room,
    });
    expect(await membershipOf(bob, room, alice)).toBe('join');
    expect(await ask('POST', inRoom(room, 'join'))).toMatchObject({ room_id: room });
    expect(await ask('POST', inRoom(room, 'leave'), { reason: 'done' })).toEqual({});
    expect(await membershipOf(bob, room, alice)).toBe('leave');
    expect(await ask('POST', inRoom(room, 'forget'))).toEqual({});
    await direct(bob, 'POST', inRoom(room, 'invite'), { user_id: alice.userId });
    await ask('POST', inRoom(room, 'leave'));
    expect(await membershipOf(bob, room, alice)).toBe('leave');
    expect(await status(ask('POST', inRoom(room, 'join')))).toBe(403);
  });

  test('a room is knocked on, and the knock taken back', async () => {
    const knocking = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }];
    const room = await roomOf(bob, { initial_state: knocking });
    await scoped([room], ['knock', 'leave']);
    expect(await ask('POST', `${V3}/knock/${encodeURIComponent(room)}`, { reason: 'please' })).toEqual({
      room_id: room,
    });
    expect(await membershipOf(bob, room, alice)).toBe('knock');
    await ask('POST', inRoom(room, 'leave'));
    expect(await membershipOf(bob, room, alice)).toBe('leave');
  });
});

test('what is not granted is refused, and nothing of it happened', async () => {
  const room = await roomOf(alice, { invite: [bob.userId] });
  await direct(bob, 'POST', `${V3}/join/${encodeURIComponent(room)}`, {});
  const secret = await roomOf(alice, { invite: [bob.userId] });
  const his = await direct<{ event_id: string }>(bob, 'PUT', inRoom(room, 'send/m.room.message/1'), hello);
  await scoped(
    [room],
    ALL.filter((name) => name !== 'redact-others'),
  );
  const member = encodeURIComponent(bob.userId);
  const levels = await direct<object>(alice, 'GET', inRoom(room, 'state/m.room.power_levels/'));
  const refused: readonly Promise<unknown>[] = [
    ask('PUT', inRoom(room, `state/m.room.member/${member}`), { membership: 'ban' }),
    ask('PUT', inRoom(room, `state/m.room.member/${encodeURIComponent(alice.userId)}`), {
      membership: 'leave',
    }),
    ask('PUT', inRoom(room, 'state/m.room.power_levels'), { ...levels, users: { [bob.userId]: 100 } }),
    ask('PUT', inRoom(room, 'state/m.room.join_rules'), { join_rule: 'public' }),
    ask('PUT', inRoom(room, 'state/m.room.tombstone'), { replacement_room: secret }),
    // A state event that Synapse takes for a redaction.
    ask('PUT', inRoom(room, 'state/m.room.redaction/x'), { redacts: his.event_id }),
    setTopic(secret, 'x'),
    act(secret, 'kick', bob),
    ask('POST', inRoom(secret, 'leave')),
    act(room, 'unban', bob),
    act(room, 'kick', alice),
    ask('POST', inRoom(room, 'invite'), {
      medium: 'email',
      address: 'x@evil.test',
      id_server: 'evil.test',
      id_access_token: 'x',
    }),
  ];
  expect(await Promise.all(refused.map(status))).toEqual(refused.map(() => 403));
  expect(await membershipOf(alice, room, bob)).toBe('join');
  expect(await membershipOf(alice, room, alice)).toBe('join');
  expect(await membershipOf(alice, secret, alice)).toBe('join');
  expect(await direct(alice, 'GET', inRoom(room, 'state/m.room.power_levels/'))).toEqual(levels);
  expect(await direct(alice, 'GET', inRoom(room, `event/${encodeURIComponent(his.event_id)}`))).toMatchObject(
    { content: hello },
  );
});

describe('a ceiling of power', () => {
  test.each(['12', '11', '10'])(
    'of 0 refuses, and of 50 allows, what the maker of a room of version %s may do',
    async (version) => {
      const room = await roomOf(alice, { room_version: version, invite: [bob.userId] });
      await direct(bob, 'POST', `${V3}/join/${encodeURIComponent(room)}`, {});
      const his = await direct<{ event_id: string }>(
        bob,
        'PUT',
        inRoom(room, 'send/m.room.message/1'),
        hello,
      );
      const redact = () =>
        ask('PUT', inRoom(room, `redact/${encodeURIComponent(his.event_id)}/r${++txn}`), {});
      await scoped([room], ALL, { power: 0 });
      expect(await status(setTopic(room, 'x'))).toBe(403);
      for (const what of ['kick', 'ban'])
        expect([what, await status(act(room, what, bob))]).toEqual([what, 403]);
      expect(await status(redact())).toBe(403);
      expect(await topicOf(room)).toBeUndefined();
      expect(await membershipOf(alice, room, bob)).toBe('join');
      expect(await status(ask('PUT', inRoom(room, `send/m.room.message/m${++txn}`), hello))).toBe(200);
      await scoped([room], ALL, { power: 50 });
      await setTopic(room, 'fifty');
      expect(await topicOf(room)).toBe('fifty');
      await redact();
      await act(room, 'kick', bob);
      expect(await membershipOf(alice, room, bob)).toBe('leave');
    },
  );

  test('does not reach those of the same power', async () => {
    const room = await roomOf(alice, {
      invite: [bob.userId],
      power_level_content_override: { users: { [bob.userId]: 50 } },
    });
    await direct(bob, 'POST', `${V3}/join/${encodeURIComponent(room)}`, {});
    await scoped([room], ALL, { power: 50 });
    expect(await status(act(room, 'kick', bob))).toBe(403);
    await scoped([room], ALL, { power: 51 });
    await act(room, 'kick', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
  });
});
