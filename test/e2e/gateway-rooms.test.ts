import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import type { Scope } from '../../src/domain/scope.ts';
import { statusOf } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';

/** State, memberships and ceilings of power, against the real Synapse. */
const ALL: readonly Permission[] = [
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
const hello = { msgtype: 'm.text', body: 'hello' };

let alice: Person;
let bob: Person;
let upstream: string;
let gateway: ScopedGateway | undefined;
let txn = 0;

const ask = <T = unknown>(method: string, path: string, body: unknown = {}) => {
  if (gateway === undefined) throw new Error('No gateway is running.');
  return gateway.request<T>(method, path, body);
};
const act = (room: string, what: string, user: Person) =>
  ask('POST', roomPath(room, what), { user_id: user.userId });
const setTopic = (room: string, topic: string) =>
  ask<{ event_id: string }>('PUT', roomPath(room, 'state/m.room.topic'), { topic });
const topicOf = async (room: string) =>
  (
    await alice.request<{ topic?: string }>('GET', roomPath(room, 'state/m.room.topic/')).catch(() => ({
      topic: undefined,
    }))
  ).topic;
const membershipOf = async (seer: Person, room: string, user: Person) =>
  (
    await seer.request<{ membership: string }>(
      'GET',
      roomPath(room, `state/m.room.member/${encodeURIComponent(user.userId)}`),
    )
  ).membership;

/** A gateway of this scope. */
async function scoped(
  rooms: readonly RoomId[],
  can: readonly Permission[],
  more: Partial<Scope> = {},
): Promise<void> {
  await gateway?.[Symbol.asyncDispose]();
  gateway = await startScopedGateway(sharedSynapse(), alice, { rooms, scope: { can, ...more }, upstream });
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  upstream = await alice.upstreamToken();
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

describe('what is granted happens, as the subject', () => {
  test('a topic is set, by type, by type and key, and again', async () => {
    const room = await alice.createRoom();
    await scoped([room], ['state:m.room.topic:', 'state:com.example.a:k']);
    const { event_id: first } = await setTopic(room, 'one');
    expect(await topicOf(room)).toBe('one');
    expect(await setTopic(room, 'one')).toEqual({ event_id: first });
    await ask('PUT', roomPath(room, 'state/com.example.a/k'), { x: 1 });
    expect(await alice.request('GET', roomPath(room, 'state/com.example.a/k'))).toEqual({ x: 1 });
    expect(await statusOf(ask('PUT', roomPath(room, 'state/com.example.a/l'), { x: 1 }))).toBe(403);
    expect(await statusOf(ask('PUT', roomPath(room, 'state/m.room.name'), { name: 'x' }))).toBe(403);
  });

  test('bob is invited, kicked, banned, and may come back', async () => {
    const room = await alice.createRoom();
    await scoped([room], ALL);
    await act(room, 'invite', bob);
    expect(await membershipOf(alice, room, bob)).toBe('invite');
    await bob.join(room);
    await act(room, 'kick', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
    await act(room, 'ban', bob);
    expect(await membershipOf(alice, room, bob)).toBe('ban');
    expect(await statusOf(act(room, 'kick', bob))).toBe(403);
    expect(await membershipOf(alice, room, bob)).toBe('ban');
    await act(room, 'unban', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
    expect(await statusOf(act(room, 'unban', bob))).toBe(403);
  });

  test('an invite to a named room is accepted, the room left, forgotten, and another invite rejected', async () => {
    const room = await bob.createRoom({ invite: [alice.userId] });
    await scoped([room], ['read']);
    expect(await statusOf(ask('POST', `${V3}/join/${encodeURIComponent(room)}`))).toBe(403);
    await scoped([room], ['join', 'leave']);
    expect(await ask('POST', `${V3}/join/${encodeURIComponent(room)}?via=evil.test`)).toEqual({
      room_id: room,
    });
    expect(await membershipOf(bob, room, alice)).toBe('join');
    expect(await ask('POST', roomPath(room, 'join'))).toMatchObject({ room_id: room });
    expect(await ask('POST', roomPath(room, 'leave'), { reason: 'done' })).toEqual({});
    expect(await membershipOf(bob, room, alice)).toBe('leave');
    expect(await ask('POST', roomPath(room, 'forget'))).toEqual({});
    await bob.request('POST', roomPath(room, 'invite'), { user_id: alice.userId });
    await ask('POST', roomPath(room, 'leave'));
    expect(await membershipOf(bob, room, alice)).toBe('leave');
    expect(await statusOf(ask('POST', roomPath(room, 'join')))).toBe(403);
  });

  test('a room is knocked on, and the knock taken back', async () => {
    const knocking = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }];
    const room = await bob.createRoom({ initial_state: knocking });
    await scoped([room], ['knock', 'leave']);
    expect(await ask('POST', `${V3}/knock/${encodeURIComponent(room)}`, { reason: 'please' })).toEqual({
      room_id: room,
    });
    expect(await membershipOf(bob, room, alice)).toBe('knock');
    await ask('POST', roomPath(room, 'leave'));
    expect(await membershipOf(bob, room, alice)).toBe('leave');
  });
});

test('what is not granted is refused, and nothing of it happened', async () => {
  const room = await alice.createRoom({}, bob);
  const secret = await alice.createRoom({ invite: [bob.userId] });
  const his = await bob.request<{ event_id: string }>('PUT', roomPath(room, 'send/m.room.message/1'), hello);
  await scoped(
    [room],
    ALL.filter((name) => name !== 'redact-others'),
  );
  const member = encodeURIComponent(bob.userId);
  const levels = await alice.request<object>('GET', roomPath(room, 'state/m.room.power_levels/'));
  const refused: readonly Promise<unknown>[] = [
    ask('PUT', roomPath(room, `state/m.room.member/${member}`), { membership: 'ban' }),
    ask('PUT', roomPath(room, `state/m.room.member/${encodeURIComponent(alice.userId)}`), {
      membership: 'leave',
    }),
    ask('PUT', roomPath(room, 'state/m.room.power_levels'), { ...levels, users: { [bob.userId]: 100 } }),
    ask('PUT', roomPath(room, 'state/m.room.join_rules'), { join_rule: 'public' }),
    ask('PUT', roomPath(room, 'state/m.room.tombstone'), { replacement_room: secret }),
    // A state event that Synapse takes for a redaction.
    ask('PUT', roomPath(room, 'state/m.room.redaction/x'), { redacts: his.event_id }),
    setTopic(secret, 'x'),
    act(secret, 'kick', bob),
    ask('POST', roomPath(secret, 'leave')),
    act(room, 'unban', bob),
    act(room, 'kick', alice),
    ask('POST', roomPath(room, 'invite'), {
      medium: 'email',
      address: 'x@evil.test',
      id_server: 'evil.test',
      id_access_token: 'x',
    }),
  ];
  expect(await Promise.all(refused.map(statusOf))).toEqual(refused.map(() => 403));
  expect(await membershipOf(alice, room, bob)).toBe('join');
  expect(await membershipOf(alice, room, alice)).toBe('join');
  expect(await membershipOf(alice, secret, alice)).toBe('join');
  expect(await alice.request('GET', roomPath(room, 'state/m.room.power_levels/'))).toEqual(levels);
  expect(
    await alice.request('GET', roomPath(room, `event/${encodeURIComponent(his.event_id)}`)),
  ).toMatchObject({ content: hello });
});

describe('a ceiling of power', () => {
  test.each(['12', '11', '10'])(
    'of 0 refuses, and of 50 allows, what the maker of a room of version %s may do',
    async (version) => {
      const room = await alice.createRoom({ room_version: version, invite: [bob.userId] });
      await bob.join(room);
      const his = await bob.request<{ event_id: string }>(
        'PUT',
        roomPath(room, 'send/m.room.message/1'),
        hello,
      );
      const redact = () =>
        ask('PUT', roomPath(room, `redact/${encodeURIComponent(his.event_id)}/r${++txn}`), {});
      await scoped([room], ALL, { power: 0 });
      expect(await statusOf(setTopic(room, 'x'))).toBe(403);
      for (const what of ['kick', 'ban'])
        expect([what, await statusOf(act(room, what, bob))]).toEqual([what, 403]);
      expect(await statusOf(redact())).toBe(403);
      expect(await topicOf(room)).toBeUndefined();
      expect(await membershipOf(alice, room, bob)).toBe('join');
      expect(await statusOf(ask('PUT', roomPath(room, `send/m.room.message/m${++txn}`), hello))).toBe(200);
      await scoped([room], ALL, { power: 50 });
      await setTopic(room, 'fifty');
      expect(await topicOf(room)).toBe('fifty');
      await redact();
      await act(room, 'kick', bob);
      expect(await membershipOf(alice, room, bob)).toBe('leave');
    },
  );

  test('does not reach those of the same power', async () => {
    const room = await alice.createRoom({
      invite: [bob.userId],
      power_level_content_override: { users: { [bob.userId]: 50 } },
    });
    await bob.join(room);
    await scoped([room], ALL, { power: 50 });
    expect(await statusOf(act(room, 'kick', bob))).toBe(403);
    await scoped([room], ALL, { power: 51 });
    await act(room, 'kick', bob);
    expect(await membershipOf(alice, room, bob)).toBe('leave');
  });
});
