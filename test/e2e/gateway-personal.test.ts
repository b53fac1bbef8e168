import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Allowance } from '../../src/domain/allowance.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';
import { MatrixHttpError, matrixRequest } from '../harness/matrix-http.ts';
import { startSynapse, type Synapse } from '../harness/synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';

const TOKEN = 'mwt_7F3K9Q_scoped';
const V3 = '/_matrix/client/v3';
const MSC4306 = '/_matrix/client/unstable/io.element.msc4306';
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const nothing = expect.objectContaining({ status: 404 }) as unknown;
const enc = encodeURIComponent;

type Event = { type: string; content: Record<string, unknown>; sender?: string };
type Entry = {
  account_data: { events: Event[] };
  ephemeral: { events: Event[] };
  unread_notifications: { notification_count?: number };
};
type Sync = {
  next_batch: string;
  account_data?: { events: Event[] };
  presence?: { events: Event[] };
  rooms?: { join?: Record<string, Entry> };
};
type Ask = <T = Record<string, unknown>>(method: string, path: string, body?: unknown) => Promise<T>;
type Holder = AsyncDisposable & { readonly ask: Ask };

let synapse: Synapse;
let alice: TestUser;
let bob: TestUser;
let carol: TestUser;
let ops: RoomId;
let secret: RoomId;
let upstream: string;
let his: string;
let elsewhere: string;
let txn = 0;

const as =
  (user: TestUser): Ask =>
  (method, path, body) =>
    matrixRequest(synapse.baseUrl, method, path, {
      token: user.accessToken,
      ...(body === undefined ? {} : { body }),
    });
const inRoom = (room: string, below: string) => `${V3}/rooms/${enc(room)}/${below}`;
const mine = (below: string) => `${V3}/user/${enc(alice.userId)}/${below}`;
const mineIn = (room: string, below: string) => mine(`rooms/${enc(room)}/${below}`);
const presenceOf = (user: TestUser) => `${V3}/presence/${enc(user.userId)}/status`;
const say = async (user: TestUser, room: string, body: string) =>
  (
    await as(user)<{ event_id: string }>('PUT', inRoom(room, `send/m.room.message/t${++txn}`), {
      msgtype: 'm.text',
      body,
    })
  ).event_id;
const outcome = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (got) => got,
    (error: unknown) => ({ status: error instanceof MatrixHttpError ? error.status : error }),
  );
const there = async (path: string) => outcome(as(alice)('GET', path));
const entry = (sync: Sync, room: string) => sync.rooms?.join?.[room];
const signs = (sync: Sync, type: string) =>
  entry(sync, ops)?.ephemeral.events.filter((event) => event.type === type) ?? [];

/** A gateway of a scope with ops in it. */
async function holder(can: readonly Allowance[]): Promise<Holder> {
  const desk = grantDesk(upstream);
  desk.add(TOKEN, {
    grant: grantOf([ops], { subject: alice.userId as UserId, scope: { v: 1, rooms: [ops], can } }),
    rooms: new Set([ops]),
  });
  const gateway: Gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: synapse.baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: quiet,
    limits: { writesAtOnce: 1_000, tendsAtOnce: 1_000 },
  });
  return {
    ask: (method, path, body) =>
      matrixRequest(`http://127.0.0.1:${gateway.port}`, method, path, {
        token: TOKEN,
        ...(body === undefined ? {} : { body }),
      }),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

beforeAll(async () => {
  synapse = await startSynapse({
    config: {
      presence: { enabled: true },
      room_list_publication_rules: [{ action: 'allow' }],
      experimental_features: { msc4306_enabled: true },
    },
  });
  [alice, bob, carol] = [
    await synapse.uniqueUser('alice'),
    await synapse.uniqueUser('bob'),
    await synapse.uniqueUser('carol'),
  ];
  const roomOf = async (maker: TestUser, more: object) => {
    const { room_id: id } = await as(maker)<{ room_id: RoomId }>('POST', `${V3}/createRoom`, {
      invite: [alice.userId],
      ...more,
    });
    await as(alice)('POST', `${V3}/join/${enc(id)}`, {});
    return id;
  };
  ops = await roomOf(bob, {});
  secret = await roomOf(carol, {
    name: 'Public',
    visibility: 'public',
    preset: 'public_chat',
    room_alias_name: 'public',
    invite: [],
  });
  const { access_token: token } = await matrixRequest<{ access_token: string }>(
    synapse.baseUrl,
    'POST',
    `/_synapse/admin/v1/users/${enc(alice.userId)}/login`,
    { token: synapse.adminToken, body: { valid_until_ms: Date.now() + 3_600_000 } },
  );
  upstream = token;
  elsewhere = await say(carol, secret, `hello ${alice.localpart}`);
  his = await say(bob, ops, `hello ${alice.localpart}`);
});

afterAll(() => synapse[Symbol.asyncDispose]());

describe('what is granted happens, and the subject’s own clients see it', () => {
  test('typing and receipts, in the room in scope alone', async () => {
    await using h = await holder(['read', 'typing', 'receipts']);
    await h.ask('PUT', inRoom(ops, `typing/${enc(alice.userId)}`), { typing: true, timeout: 20_000 });
    await h.ask('POST', inRoom(ops, `receipt/m.read/${enc(his)}`), {});
    for (const event of [elsewhere, '$none'])
      expect(await outcome(h.ask('POST', inRoom(ops, `receipt/m.read/${enc(event)}`), {}))).toEqual({
        status: 403,
      });
    const seen = await as(bob)<Sync>('GET', `${V3}/sync`);
    expect(signs(seen, 'm.typing')[0]?.content).toEqual({ user_ids: [alice.userId] });
    expect(JSON.stringify(signs(seen, 'm.receipt'))).toContain(`"${his}":{"m.read":{"${alice.userId}"`);
    // The holder is shown them too.
    const shown = await h.ask<Sync>('GET', `${V3}/sync`);
    expect(signs(shown, 'm.typing')[0]?.content).toEqual({ user_ids: [alice.userId] });
    expect(JSON.stringify(signs(shown, 'm.receipt'))).toContain(his);
    await h.ask('PUT', inRoom(ops, `typing/${enc(alice.userId)}`), { typing: false });
  });

  test('a poll wakes for what the scope opens', async () => {
    await using h = await holder(['read', 'typing']);
    const { next_batch: since } = await h.ask<Sync>('GET', `${V3}/sync`);
    const polling = h.ask<Sync>('GET', `${V3}/sync?since=${enc(since)}&timeout=10000`);
    await as(bob)('PUT', inRoom(ops, `typing/${enc(bob.userId)}`), { typing: true, timeout: 5_000 });
    expect(signs(await polling, 'm.typing')[0]?.content).toEqual({ user_ids: [bob.userId] });
    await as(bob)('PUT', inRoom(ops, `typing/${enc(bob.userId)}`), { typing: false });
  });

  test('markers and marking as unread', async () => {
    await using h = await holder(['read', 'markers']);
    await h.ask('POST', inRoom(ops, 'read_markers'), {
      'm.fully_read': his,
      'm.read': his,
      'm.read.private': his,
    });
    await h.ask('PUT', mineIn(ops, 'account_data/m.marked_unread'), { unread: true });
    expect(await there(mineIn(ops, 'account_data/m.fully_read'))).toEqual({ event_id: his });
    expect(await there(mineIn(ops, 'account_data/m.marked_unread'))).toEqual({ unread: true });
    const shown = entry(await h.ask<Sync>('GET', `${V3}/sync`), ops)?.account_data.events;
    expect(shown).toEqual(
      expect.arrayContaining([
        { type: 'm.fully_read', content: { event_id: his } },
        { type: 'm.marked_unread', content: { unread: true } },
      ]),
    );
  });

  test('tags', async () => {
    await using h = await holder(['read', 'tags']);
    await h.ask('PUT', mineIn(ops, 'tags/u.work'), { order: 0.5 });
    await h.ask('PUT', mineIn(ops, 'tags/m.favourite'), {});
    await h.ask('DELETE', mineIn(ops, 'tags/m.favourite'));
    expect(await there(mineIn(ops, 'tags'))).toEqual({ tags: { 'u.work': { order: 0.5 } } });
    expect(await h.ask('GET', mineIn(ops, 'tags'))).toEqual({ tags: { 'u.work': { order: 0.5 } } });
    expect(entry(await h.ask<Sync>('GET', `${V3}/sync`), ops)?.account_data.events).toEqual([
      { type: 'm.tag', content: { tags: { 'u.work': { order: 0.5 } } } },
    ]);
  });

  test('account data by type, without rooms outside the scope', async () => {
    await using h = await holder(['read', 'account-data:com.example.*']);
    await as(alice)('PUT', mine('account_data/com.example.rooms'), {
      rooms: [ops, secret],
      of: { [secret]: 1 },
    });
    await as(alice)('PUT', mine('account_data/m.direct'), { [carol.userId]: [secret] });
    expect(await h.ask('GET', mine('account_data/com.example.rooms'))).toEqual({ rooms: [ops], of: {} });
    await h.ask('PUT', mine('account_data/com.example.set'), { a: 1 });
    await h.ask('PUT', mineIn(ops, 'account_data/com.example.set'), { b: 1 });
    expect([
      await there(mine('account_data/com.example.set')),
      await there(mineIn(ops, 'account_data/com.example.set')),
    ]).toEqual([{ a: 1 }, { b: 1 }]);
    const sync = await h.ask<Sync>('GET', `${V3}/sync`);
    expect(sync.account_data?.events.map(({ type }) => type).toSorted()).toEqual([
      'com.example.rooms',
      'com.example.set',
    ]);
    expect(entry(sync, ops)?.account_data.events).toEqual([{ type: 'com.example.set', content: { b: 1 } }]);
    expect(JSON.stringify(sync)).not.toContain(secret);
    for (const type of ['m.direct', 'm.ignored_user_list', 'm.push_rules'])
      expect(await outcome(h.ask('GET', mine(`account_data/${type}`)))).toEqual({ status: 404 });
  });

  test('push rules, those that name no room outside', async () => {
    await using h = await holder(['read', 'push-rules']);
    for (const room of [ops, secret])
      await as(alice)('PUT', `${V3}/pushrules/global/room/${enc(room)}`, { actions: ['notify'] });
    await as(alice)('PUT', `${V3}/pushrules/global/sender/${enc(carol.userId)}`, { actions: ['notify'] });
    await as(alice)('PUT', `${V3}/pushrules/global/content/launch`, {
      pattern: 'launch',
      actions: ['notify'],
    });
    const { global } = await h.ask<{ global: Record<string, { rule_id: string }[]> }>(
      'GET',
      `${V3}/pushrules/`,
    );
    expect(global['room']?.map((rule) => rule.rule_id)).toEqual([ops]);
    expect(global['content']?.map((rule) => rule.rule_id)).toContain('launch');
    expect(global['override']?.map((rule) => rule.rule_id)).toContain('.m.rule.master');
    expect(JSON.stringify(global)).not.toMatch(new RegExp(`${secret}|${carol.localpart}`));
    expect(await h.ask('GET', `${V3}/pushrules/global/content/launch/enabled`)).toEqual({ enabled: true });
    expect(await outcome(h.ask('GET', `${V3}/pushrules/global/room/${enc(secret)}`))).toEqual({
      status: 404,
    });
    const sync = await h.ask<Sync>('GET', `${V3}/sync`);
    expect(sync.account_data?.events).toEqual([{ type: 'm.push_rules', content: { global } }]);
  });

  test('notifications and counts, of rooms in scope', async () => {
    await using h = await holder(['read', 'notifications']);
    for (let n = 0; n < 3; n++) await say(carol, secret, `${alice.localpart} again`);
    const rang = await say(bob, ops, `${alice.localpart}: ring`);
    for (let n = 0; n < 3; n++) await say(carol, secret, `${alice.localpart} and again`);
    await expect
      .poll(
        async () =>
          (await as(alice)<{ notifications: unknown[] }>('GET', `${V3}/notifications`)).notifications.length,
      )
      .toBeGreaterThan(6);
    const { notifications } = await h.ask<{
      notifications: { room_id: string; event: { event_id: string } }[];
    }>('GET', `${V3}/notifications?limit=1`);
    expect(notifications.map(({ room_id: room, event }) => [room, event.event_id])).toEqual([[ops, rang]]);
    const all = await h.ask<{ notifications: { room_id: string }[]; next_token?: string }>(
      'GET',
      `${V3}/notifications`,
    );
    expect(new Set(all.notifications.map(({ room_id: room }) => room))).toEqual(new Set([ops]));
    expect(all.next_token).toBeUndefined();
    const counts = entry(await h.ask<Sync>('GET', `${V3}/sync`), ops)?.unread_notifications;
    expect(counts?.notification_count).toBeGreaterThan(0);
    // Read by the subject on another device: the counts go down, and that is news.
    const { next_batch: since } = await h.ask<Sync>('GET', `${V3}/sync`);
    const polling = h.ask<Sync>('GET', `${V3}/sync?since=${enc(since)}&timeout=10000`);
    await as(alice)('POST', inRoom(ops, `receipt/m.read/${enc(rang)}`), {});
    const after = entry(await polling, ops);
    expect([after?.unread_notifications.notification_count, after?.ephemeral.events]).toEqual([0, []]);
  });

  test('thread subscriptions, read', async () => {
    await using h = await holder(['read', 'notifications']);
    const one = (room: string, root: string) =>
      `${MSC4306}/rooms/${enc(room)}/thread/${enc(root)}/subscription`;
    await as(alice)('PUT', one(ops, his), {});
    await as(alice)('PUT', one(secret, elsewhere), {});
    expect(await h.ask('GET', one(ops, his))).toEqual({ automatic: false });
    expect(await outcome(h.ask('GET', one(ops, elsewhere)))).toEqual({ status: 403 });
    const list = await h.ask<{ subscribed: object }>(
      'GET',
      '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
    );
    expect(Object.keys(list.subscribed)).toEqual([ops]);
    expect(await outcome(h.ask('DELETE', one(ops, his)))).toEqual({ status: 403 });
    expect(await there(one(ops, his))).toEqual({ automatic: false });
  });

  test('profile', async () => {
    await using h = await holder(['read', 'profile']);
    const of = (user: TestUser, field: string) => `${V3}/profile/${enc(user.userId)}/${field}`;
    await h.ask('PUT', of(alice, 'displayname'), { displayname: 'Alice by the holder' });
    await h.ask('PUT', of(alice, 'm.tz'), { 'm.tz': 'Europe/Berlin' });
    expect(await as(bob)('GET', of(alice, 'displayname'))).toEqual({ displayname: 'Alice by the holder' });
    expect(await as(bob)('GET', of(alice, 'm.tz'))).toEqual({ 'm.tz': 'Europe/Berlin' });
    await h.ask('DELETE', of(alice, 'm.tz'));
    expect(await there(of(alice, 'm.tz'))).toEqual(nothing);
    expect(await outcome(h.ask('PUT', of(bob, 'displayname'), { displayname: 'x' }))).toEqual({
      status: 403,
    });
  });

  test('presence', async () => {
    await using h = await holder(['read', 'presence']);
    await h.ask('PUT', presenceOf(alice), { presence: 'unavailable', status_msg: 'by the holder' });
    expect(await as(bob)('GET', presenceOf(alice))).toMatchObject({
      presence: 'unavailable',
      status_msg: 'by the holder',
    });
    await as(bob)('PUT', presenceOf(bob), { presence: 'online', status_msg: 'here' });
    expect(await h.ask('GET', presenceOf(bob))).toMatchObject({ presence: 'online', status_msg: 'here' });
    expect(await there(presenceOf(carol))).toMatchObject({ presence: expect.any(String) as string });
    expect(await outcome(h.ask('GET', presenceOf(carol)))).toEqual({ status: 403 });
    const sync = await h.ask<Sync>('GET', `${V3}/sync?set_presence=online`);
    expect(new Set(sync.presence?.events.map(({ sender }) => sender))).toEqual(new Set([alice.userId]));
    await expect.poll(() => as(bob)('GET', presenceOf(alice))).toMatchObject({ presence: 'online' });
  });

  test('the directories', async () => {
    await using h = await holder(['read', 'directory']);
    const found = await h.ask<{ chunk: object[] }>('POST', `${V3}/publicRooms`, {
      filter: { generic_search_term: 'Public' },
    });
    expect(found.chunk).toEqual([expect.objectContaining({ room_id: secret, name: 'Public' })]);
    expect((await h.ask<{ chunk: object[] }>('GET', `${V3}/publicRooms?limit=5`)).chunk).toHaveLength(1);
    expect(await h.ask('GET', `${V3}/directory/room/${enc('#public:test.local')}`)).toMatchObject({
      room_id: secret,
    });
    await expect
      .poll(() => h.ask('POST', `${V3}/user_directory/search`, { search_term: bob.localpart }))
      .toMatchObject({ results: [{ user_id: bob.userId }] });
  });
});

test('what is not granted changes nothing, and shows nothing', async () => {
  await using h = await holder(['read']);
  const latest = await say(bob, ops, 'latest');
  const rules = await there(`${V3}/pushrules/`);
  const before = await h.ask<Sync>('GET', `${V3}/sync`);
  const me = enc(alice.userId);
  await h.ask('PUT', inRoom(ops, `typing/${me}`), { typing: true, timeout: 20_000 });
  await h.ask('POST', inRoom(ops, `receipt/m.read/${enc(latest)}`), {});
  await h.ask('POST', inRoom(ops, 'read_markers'), { 'm.fully_read': latest, 'm.read': latest });
  const refused = [
    () => h.ask('PUT', mineIn(ops, 'tags/u.bad'), {}),
    () => h.ask('PUT', mine('account_data/com.example.bad'), { bad: 1 }),
    () => h.ask('PUT', mine('account_data/m.ignored_user_list'), { ignored_users: { [bob.userId]: {} } }),
    () => h.ask('PUT', mineIn(ops, 'account_data/m.marked_unread'), { unread: false }),
    () => h.ask('PUT', `${V3}/pushrules/global/override/.m.rule.master/enabled`, { enabled: true }),
    () => h.ask('GET', `${V3}/notifications`),
    () => h.ask('PUT', `${V3}/profile/${me}/displayname`, { displayname: 'bad' }),
    () => h.ask('PUT', presenceOf(alice), { presence: 'online', status_msg: 'bad' }),
    () => h.ask('GET', presenceOf(bob)),
    () => h.ask('POST', `${V3}/publicRooms`, {}),
    () => h.ask('POST', `${V3}/user_directory/search`, { search_term: 'bob' }),
  ];
  for (const asking of refused) expect(await outcome(asking())).toEqual({ status: 403 });
  expect(await outcome(h.ask('GET', `${V3}/directory/room/${enc('#public:test.local')}`))).toEqual({
    status: 404,
  });
  expect(before.account_data).toBeUndefined();
  expect(before.presence).toBeUndefined();
  expect(entry(before, ops)).toMatchObject({
    account_data: { events: [] },
    ephemeral: { events: [] },
    unread_notifications: {},
  });
  // Synapse answers a first sync like the one before from its memory.
  const seen = await as(bob)<Sync>('GET', `${V3}/sync?full_state=true`);
  expect(JSON.stringify(signs(seen, 'm.typing'))).not.toContain(alice.userId);
  expect(JSON.stringify(signs(seen, 'm.receipt'))).not.toContain(`"${latest}":{"m.read":{"${alice.userId}"`);
  expect(JSON.stringify(await there(mineIn(ops, 'account_data/m.fully_read')))).not.toContain(latest);
  expect(JSON.stringify(await there(mineIn(ops, 'tags')))).not.toContain('bad');
  for (const type of ['com.example.bad', 'm.ignored_user_list'])
    expect(await there(mine(`account_data/${type}`))).toEqual(nothing);
  expect(await there(`${V3}/pushrules/`)).toEqual(rules);
  expect(await there(`${V3}/profile/${me}/displayname`)).not.toEqual({ displayname: 'bad' });
  expect(await there(presenceOf(alice))).not.toMatchObject({ status_msg: 'bad' });
});
