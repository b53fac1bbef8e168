import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { jsSdkHolder } from '../harness/holder-js-sdk.ts';
import { MatrixHttpError } from '../harness/matrix-http.ts';
import { runCommand } from '../harness/run-command.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { Permission } from '../../src/domain/permission.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { startScopedGateway } from './support/scoped-gateway.ts';

// What stock clients send, odd as it is, before a real Synapse: what it does with it without a gateway, and with one.

const enc = encodeURIComponent;
let alice: Person;
let bob: Person;
let ops: RoomId;
let upstream: string;

const holder = (can: readonly Permission[], rooms: readonly RoomId[] = [ops]) =>
  startScopedGateway(sharedSynapse(), alice, { rooms, scope: { can }, upstream });
const memberIn = async (room: string) =>
  await bob.request<{ membership: string; displayname?: string }>(
    'GET',
    roomPath(room, `state/m.room.member/${enc(alice.userId)}`),
  );
const told = async (response: Promise<Response>): Promise<[number, unknown]> => {
  const got = await response;
  return [got.status, ((await got.json()) as { errcode?: unknown }).errcode];
};

beforeAll(async () => {
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockReturnValue();
  alice = await registerPerson(sharedSynapse(), 'alice');
  bob = await registerPerson(sharedSynapse(), 'bob');
  ops = await bob.createRoom({ name: 'Ops' }, alice);
  upstream = await alice.upstreamToken();
});

describe('text that cannot arrive as it was written', () => {
  const half = String.raw`{"msgtype":"m.text","body":"cut \ud83d"}`;

  test('is a failure of Synapse, and a plain refusal at the gateway', async () => {
    const own = await fetch(`${sharedSynapse().baseUrl}${roomPath(ops, 'send/m.room.message/half')}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${alice.accessToken}` },
      body: half,
    });
    expect(own.status).toBeGreaterThanOrEqual(400);
    await using h = await holder(['read', 'send', 'account-data:com.example.a', 'profile', 'state']);
    const me = `${V3}/user/${enc(alice.userId)}`;
    for (const [path, body] of [
      [roomPath(ops, 'send/m.room.message/half'), half],
      [roomPath(ops, 'state/m.room.topic'), half],
      [`${me}/account_data/com.example.a`, half],
      [`${V3}/profile/${enc(alice.userId)}/displayname`, String.raw`{"displayname":"\ud83d"}`],
      [roomPath(ops, 'send/m.room.message/number'), '{"msgtype":"m.text","body":"x","n":1e400}'],
    ] as const)
      expect([path, await told(h.fetch('PUT', path, { body }))]).toEqual([path, [400, 'M_BAD_JSON']]);
    const filter = enc(String.raw`{"room":{"timeline":{"types":["\ud83d"]}}}`);
    expect(await told(h.fetch('GET', `${V3}/sync?filter=${filter}`))).toEqual([400, 'M_BAD_JSON']);
    const types = Array.from({ length: 1_200 }, (_, index) => `com.example.number${index}`);
    const stored = h.fetch('POST', `${me}/filter`, {
      body: JSON.stringify({ room: { timeline: { types } } }),
    });
    expect(await told(stored)).toEqual([400, 'M_BAD_JSON']);
  });

  test('a filter as long as the gateway takes is one that Synapse takes', async () => {
    await using h = await holder(['read']);
    const types = Array.from({ length: 250 }, (_, index) => `com.example.a.type.number${index}`);
    const filter = enc(JSON.stringify({ types }));
    expect((await h.fetch('GET', roomPath(ops, `messages?dir=b&filter=${filter}`))).status).toBe(200);
    const { filter_id: id } = await h.request('POST', `${V3}/user/${enc(alice.userId)}/filter`, {
      room: { timeline: { types } },
    });
    expect((await h.fetch('GET', `${V3}/sync?filter=${String(id)}`)).status).toBe(200);
  });
});

describe('a join that is written as the subject’s own membership', () => {
  const invitedTo = async () => {
    const room = await bob.createRoom({ name: 'Invited', invite: [alice.userId] });
    return { room, own: roomPath(room, `state/m.room.member/${enc(alice.userId)}`) };
  };

  test('joins, as a double puppet does it, with the homeserver’s own name for the subject', async () => {
    const { room, own } = await invitedTo();
    await using without = await holder(['read', 'state', 'profile'], [room]);
    await expect(without.request('PUT', own, { membership: 'join' })).rejects.toThrow(/capability join/);
    expect((await memberIn(room)).membership).toBe('invite');
    await using h = await holder(['read', 'join'], [room]);
    const first = await h.request('PUT', own, { membership: 'join', displayname: 'Mallory' });
    expect(first['event_id']).toMatch(/^\$/);
    const member = await memberIn(room);
    expect([member.membership, member.displayname]).toEqual(['join', alice.localpart]);
    expect(await h.request('PUT', own, { membership: 'join', displayname: 'Mallory' })).toMatchObject(first);
    await expect(h.request('PUT', own, { membership: 'leave' })).rejects.toThrow(MatrixHttpError);
    expect((await memberIn(room)).membership).toBe('join');
  });

  test('shows the name that is given with `profile`, there alone', async () => {
    const { room, own } = await invitedTo();
    await using h = await holder(['read', 'join', 'profile'], [room]);
    await h.request('PUT', own, { membership: 'join', displayname: 'Al of this room' });
    expect(await memberIn(room)).toMatchObject({ membership: 'join', displayname: 'Al of this room' });
    await h.request('PUT', own, { membership: 'join', displayname: 'Another' });
    expect((await memberIn(room)).displayname).toBe('Another');
    expect((await memberIn(ops)).displayname).toBe(alice.localpart);
  });

  test('is refused where Synapse would refuse the join', async () => {
    const room = await bob.createRoom({ preset: 'private_chat' });
    await using h = await holder(['read', 'join'], [room]);
    const own = roomPath(room, `state/m.room.member/${enc(alice.userId)}`);
    await expect(h.request('PUT', own, { membership: 'join' })).rejects.toThrow(/403/);
  });
});

test('several servers in a join, HEAD, and an offer of HTTP/2', async () => {
  const room = await bob.createRoom({ preset: 'public_chat' });
  await using h = await holder(['read', 'join'], [room]);
  const via = 'via=a.example&via=b.example&server_name=c.example&server_name=d.example';
  expect((await h.fetch('POST', `${V3}/join/${enc(room)}?${via}`, { body: '{}' })).status).toBe(200);
  expect((await memberIn(room)).membership).toBe('join');
  for (const path of ['/health', '/_matrix/client/versions', `${V3}/joined_rooms`, roomPath(room, 'state')]) {
    const head = await h.fetch('HEAD', path);
    const get = await h.fetch('GET', path);
    expect([path, head.status, head.headers.get('content-length')]).toEqual([
      path,
      200,
      get.headers.get('content-length'),
    ]);
    expect((await head.text()).length).toBe(0);
  }
  const curl = await runCommand('curl', [
    '--http2',
    '-sS',
    '-w',
    '%{http_code} %{http_version}',
    '-H',
    `Authorization: Bearer ${h.token}`,
    `${h.url}${V3}/joined_rooms`,
  ]);
  expect(curl.output).toEqual([`{"joined_rooms":["${room}"]}200 1.1`]);
});

test('matrix-js-sdk starts for a user whose id has a slash, and writes for them', async () => {
  const slashed = await registerPerson(sharedSynapse(), 'dev/ci');
  const room = await bob.createRoom({ name: 'Builds' }, slashed);
  await using h = await startScopedGateway(sharedSynapse(), slashed, {
    rooms: [room],
    scope: { can: ['read', 'send', 'profile', 'typing'] },
  });
  await using client = jsSdkHolder({ baseUrl: h.url, token: h.token, userId: slashed.userId });
  await client.start();
  expect(await client.rooms()).toEqual([room]);
  const sent = await client.say(room, 'a build');
  expect(sent).toMatch(/^\$/);
  await client.typing(room);
  await h.request('PUT', `${V3}/profile/${enc(slashed.userId)}/displayname`, { displayname: 'CI' });
  expect((await slashed.request('GET', `${V3}/profile/${enc(slashed.userId)}`))['displayname']).toBe('CI');
});

describe('what a wildcard does not mean', () => {
  test('is not set, written or sent at Synapse', async () => {
    const room = await alice.createRoom({ name: 'Own' });
    await using h = await holder(
      ['read', 'send', 'state', 'state:m.*', 'tags', 'profile', 'account-data:m.*'],
      [room],
    );
    const me = `${V3}/user/${enc(alice.userId)}`;
    for (const [path, body] of [
      [roomPath(room, 'state/uk.half-shot.matrix-hookshot.generic.hook/x'), { name: 'x' }],
      [roomPath(room, 'state/m.bridge/x'), {}],
      [`${me}/account_data/m.media_preview_config`, { media_previews: 'on' }],
      [`${me}/rooms/${enc(room)}/tags/m.server_notice`, {}],
      [roomPath(room, 'send/m.room.message/1'), { msgtype: 'm.server_notice', body: 'x' }],
    ] as const)
      expect([path, await told(h.fetch('PUT', path, { body: JSON.stringify(body) }))]).toEqual([
        path,
        [403, 'M_FORBIDDEN'],
      ]);
    const quiet = `${V3}/profile/${enc(alice.userId)}/displayname?propagate=false`;
    expect(await told(h.fetch('PUT', quiet, { body: '{"displayname":"Quiet"}' }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    expect((await memberIn(ops)).displayname).toBe(alice.localpart);
    await h.request('PUT', roomPath(room, 'state/m.room.topic'), { topic: 'still' });
  });
});
