import { expect, test } from 'vitest';
import {
  parseRoomAlias,
  parseRoomId,
  parseUserId,
  type RoomAlias,
  type RoomId,
  type UserId,
} from '../../src/domain/ids.ts';
import { adapter, ALICE, ISSUER_TOKEN, oddServer, says } from './odd-server.ts';

const ROOM = parseRoomId('!room/../x'.replaceAll('/', '_')) as RoomId;
const ALIAS = parseRoomAlias('#ops/x:test.local') as RoomAlias;
const user = { name: ALICE, admin: false, deactivated: false, locked: false };

/** A Synapse's answers, by a part of the path. */
function synapseWith(answers: Record<string, object>) {
  return oddServer((request, response) => {
    const found = Object.entries(answers).find(([part]) => request.url?.includes(part));
    const isSend = request.url?.includes('send_server_notice') === true;
    if (found !== undefined) says(200, found[1])(request, response);
    else if (isSend) says(400, { errcode: 'M_UNKNOWN' })(request, response);
    else says(404, { errcode: 'M_NOT_FOUND' })(request, response);
  });
}

test('an answer that lacks something is never taken for an empty one', async () => {
  const whole = {
    joined_rooms: { joined_rooms: ['!a'] },
    accountdata: { account_data: { global: {}, rooms: {} } },
    'v2/users': user,
  };
  const faults: Record<string, object>[] = [
    { 'v2/users': { ...user, locked: undefined } },
    { 'v2/users': { ...user, deactivated: 'no' } },
    { 'v2/users': { ...user, admin: null } },
    { 'v2/users': { ...user, name: '@mallory:test.local' } },
    { joined_rooms: {} },
    { joined_rooms: { joined_rooms: ['!a', 7] } },
    { accountdata: {} },
    { accountdata: { account_data: {} } },
  ];
  for (const fault of faults) {
    await using server = await synapseWith({
      ...fault,
      ...Object.fromEntries(Object.entries(whole).filter(([key]) => !(key in fault))),
    });
    await using synapse = adapter(server.url);
    await expect(synapse.directory.subject(ALICE)).rejects.toMatchObject({
      code: 'homeserver-invalid-response',
    });
  }
  await using server = await synapseWith(whole);
  await using synapse = adapter(server.url);
  expect(await synapse.directory.subject(ALICE)).toEqual({
    userId: ALICE,
    deactivated: false,
    locked: false,
    admin: false,
    joinedRooms: ['!a'],
    noticesRoom: null,
    ignoresBot: false,
    invites: 'allow',
    refusesNotices: false,
  });
});

test.each([
  [says(500, 'oops'), 'homeserver-unreachable'],
  [says(403, { errcode: 'M_FORBIDDEN' }), 'homeserver-refused'],
  [says(401, { errcode: 'M_UNKNOWN_TOKEN' }), 'homeserver-refused'],
  [says(404, '<html>'), 'homeserver-invalid-response'],
  [says(404, { errcode: 'M_UNRECOGNIZED' }), 'homeserver-refused'],
  [says(200, '<html>'), 'homeserver-invalid-response'],
  [says(302, {}, { location: 'http://127.0.0.1:1' }), 'homeserver-invalid-response'],
])('every question throws where the homeserver gives no usable answer (%#)', async (answer, code) => {
  await using server = await oddServer(answer);
  await using synapse = adapter(server.url);
  const { directory } = synapse;
  const content = { body: 'x', html: 'x' };
  await expect(directory.subject(ALICE)).rejects.toMatchObject({ code });
  await expect(directory.room(ROOM)).rejects.toMatchObject({ code });
  await expect(directory.resolveAlias(ALIAS)).rejects.toMatchObject({ code });
  await expect(directory.hasServerNotices()).rejects.toMatchObject({ code });
  await expect(directory.sendServerNotice(ALICE, content, 't')).rejects.toMatchObject({ code });
});

test('a user of another server is not asked for', async () => {
  await using server = await oddServer(says(200, {}));
  await using synapse = adapter(server.url);
  expect(await synapse.directory.subject(parseUserId('@alice:elsewhere.example') as UserId)).toBeNull();
  expect(server.seen).toHaveLength(0);
});

test("an alias is asked for without anybody's token", async () => {
  await using server = await oddServer(says(200, { room_id: '!abc' }));
  await using synapse = adapter(server.url);
  expect(await synapse.directory.resolveAlias(ALIAS)).toBe('!abc');
  expect(server.seen[0]).toMatchObject({
    path: '/_matrix/client/v3/directory/room/%23ops%2Fx%3Atest.local',
    authorization: undefined,
  });
});

test('a doubtful answer about server notices is not remembered', async () => {
  let count = 0;
  await using server = await oddServer((request, response) => {
    count += 1;
    if (count === 1) says(502, 'proxy')(request, response);
    else says(400, { errcode: 'M_UNKNOWN' })(request, response);
  });
  await using synapse = adapter(server.url);
  await expect(synapse.directory.hasServerNotices()).rejects.toMatchObject({
    code: 'homeserver-unreachable',
  });
  expect(await synapse.directory.hasServerNotices()).toBe(false);
  expect(await synapse.directory.hasServerNotices()).toBe(false);
  expect(count).toBe(2);
});

test('errors hold no token', async () => {
  await using server = await oddServer(says(403, { errcode: 'M_FORBIDDEN', error: ISSUER_TOKEN }));
  await using synapse = adapter(server.url);
  const error: unknown = await synapse.directory.room(ROOM).catch((thrown: unknown) => thrown);
  expect(JSON.stringify(error) + String(error)).not.toContain('syt_');
});

test('who made a room is what the homeserver’s own state says, not its summary', async () => {
  const create = {
    type: 'm.room.create',
    state_key: '',
    sender: ALICE,
    content: { creator: '@bot:test.local' },
  };
  const asked = async (state: unknown) => {
    await using server = await synapseWith({
      '/state?type=m.room.create': { state },
      '/rooms/': { creator: '@bot:test.local' },
    });
    await using synapse = adapter(server.url);
    return await synapse.directory.creator(ROOM);
  };
  expect(await asked([create])).toBe(ALICE);
  // An old Synapse gives all of the state.
  expect(
    await asked([
      { ...create, type: 'm.room.name', sender: '@x:y' },
      { ...create, state_key: 'x', sender: '@x:y' },
      create,
    ]),
  ).toBe(ALICE);
  expect(await asked([])).toBeNull();
  for (const odd of [
    undefined,
    {},
    [create, create],
    [{ ...create, room_id: '!other' }],
    [{ ...create, sender: 7 }],
    [{ ...create, sender: 'x' }],
  ])
    await expect(asked(odd)).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
});

test('invites are those of the memberships, and none where the homeserver does not know the question', async () => {
  const memberships = {
    '!a:x': 'invite',
    '!b:x': 'join',
    '!c:x': 'leave',
    '!d:x': 'knock',
    'not a room': 'invite',
  };
  await using server = await synapseWith({ '/memberships': { memberships } });
  await using synapse = adapter(server.url);
  expect(await synapse.directory.invitedRooms(ALICE)).toEqual(['!a:x']);
  await using old = await oddServer(says(404, { errcode: 'M_UNRECOGNIZED' }));
  await using before = adapter(old.url);
  expect(await before.directory.invitedRooms(ALICE)).toEqual([]);
  for (const odd of [says(200, {}), says(200, { memberships: [] })]) {
    await using broken = await oddServer(odd);
    await using strange = adapter(broken.url);
    await expect(strange.directory.invitedRooms(ALICE)).rejects.toMatchObject({
      code: 'homeserver-invalid-response',
    });
  }
});

test('a room is replaced where both say so', async () => {
  const asked = async (replacement: unknown, predecessor: unknown) => {
    await using server = await synapseWith({
      'm.room.tombstone': {
        state: [
          {
            type: 'm.room.tombstone',
            state_key: '',
            sender: ALICE,
            content: { replacement_room: replacement },
          },
        ],
      },
      'm.room.create': {
        state: [{ type: 'm.room.create', state_key: '', sender: ALICE, content: { predecessor } }],
      },
    });
    await using synapse = adapter(server.url);
    return await synapse.directory.replacement(ROOM);
  };
  expect(await asked('!new:x', { room_id: ROOM })).toBe('!new:x');
  expect(await asked('!new:x', { room_id: '!other:x' })).toBeNull();
  expect(await asked('!new:x', undefined)).toBeNull();
  expect(await asked(ROOM, { room_id: ROOM })).toBeNull();
  expect(await asked('new', { room_id: ROOM })).toBeNull();
  expect(await asked(undefined, { room_id: ROOM })).toBeNull();
});
