import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { MatrixHttpError } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { startSynapse, type Synapse } from '../harness/synapse.ts';
import { startScopedGateway } from './support/scoped-gateway.ts';

const MSC4306 = '/_matrix/client/unstable/io.element.msc4306';
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
let synapse: Synapse;
let alice: Person;
let bob: Person;
let carol: Person;
let ops: RoomId;
let secret: RoomId;
let upstream: string;
let his: string;
let elsewhere: string;

const mine = (below: string) => `${V3}/user/${enc(alice.userId)}/${below}`;
const mineIn = (room: string, below: string) => mine(`rooms/${enc(room)}/${below}`);
const presenceOf = (user: Person) => `${V3}/presence/${enc(user.userId)}/status`;
const outcome = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (got) => got,
    (error: unknown) => ({ status: error instanceof MatrixHttpError ? error.status : error }),
  );
const there = async (path: string) => outcome(alice.request('GET', path));
const entry = (sync: Sync, room: string) => sync.rooms?.join?.[room];
const signs = (sync: Sync, type: string) =>
  entry(sync, ops)?.ephemeral.events.filter((event) => event.type === type) ?? [];

/** A gateway of a scope with ops in it. */
const holder = (can: readonly Permission[]) =>
  startScopedGateway(synapse, alice, { rooms: [ops], scope: { can }, upstream });

beforeAll(async () => {
  synapse = await startSynapse({
    config: {
      presence: { enabled: true },
      room_list_publication_rules: [{ action: 'allow' }],
      experimental_features: { msc4306_enabled: true },
    },
  });
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  carol = await registerPerson(synapse, 'carol');
  ops = await bob.createRoom({}, alice);
  secret = await carol.createRoom({
    name: 'Public',
    visibility: 'public',
    preset: 'public_chat',
    room_alias_name: 'public',
  });
  await alice.join(secret);
  upstream = await alice.upstreamToken();
  elsewhere = await carol.say(secret, `hello ${alice.localpart}`);
  his = await bob.say(ops, `hello ${alice.localpart}`);
});

afterAll(() => synapse[Symbol.asyncDispose]());

describe('what is granted happens, and the subject’s own clients see it', () => {
  test('typing and receipts, in the room in scope alone', async () => {
    await using h = await holder(['read', 'typing', 'receipts']);
    await h.request('PUT', roomPath(ops, `typing/${enc(alice.userId)}`), { typing: true, timeout: 20_000 });
    await h.request('POST', roomPath(ops, `receipt/m.read/${enc(his)}`), {});
    for (const event of [elsewhere, '$none'])
      expect(await outcome(h.request('POST', roomPath(ops, `receipt/m.read/${enc(event)}`), {}))).toEqual({
        status: 403,
      });
    const seen = await bob.request<Sync>('GET', `${V3}/sync`);
    expect(signs(seen, 'm.typing')[0]?.content).toEqual({ user_ids: [alice.userId] });
    expect(JSON.stringify(signs(seen, 'm.receipt'))).toContain(`"${his}":{"m.read":{"${alice.userId}"`);
    // The holder is shown them too.
    const shown = await h.request<Sync>('GET', `${V3}/sync`);
    expect(signs(shown, 'm.typing')[0]?.content).toEqual({ user_ids: [alice.userId] });
    expect(JSON.stringify(signs(shown, 'm.receipt'))).toContain(his);
    await h.request('PUT', roomPath(ops, `typing/${enc(alice.userId)}`), { typing: false });
  });

  test('a poll wakes for what the scope opens', async () => {
    await using h = await holder(['read', 'typing']);
    const { next_batch: since } = await h.request<Sync>('GET', `${V3}/sync`);
    const polling = h.request<Sync>('GET', `${V3}/sync?since=${enc(since)}&timeout=10000`);
    await bob.request('PUT', roomPath(ops, `typing/${enc(bob.userId)}`), { typing: true, timeout: 5_000 });
    expect(signs(await polling, 'm.typing')[0]?.content).toEqual({ user_ids: [bob.userId] });
    await bob.request('PUT', roomPath(ops, `typing/${enc(bob.userId)}`), { typing: false });
  });

  test('markers and marking as unread', async () => {
    await using h = await holder(['read', 'markers']);
    await h.request('POST', roomPath(ops, 'read_markers'), {
      'm.fully_read': his,
      'm.read': his,
      'm.read.private': his,
    });
    await h.request('PUT', mineIn(ops, 'account_data/m.marked_unread'), { unread: true });
    expect(await there(mineIn(ops, 'account_data/m.fully_read'))).toEqual({ event_id: his });
    expect(await there(mineIn(ops, 'account_data/m.marked_unread'))).toEqual({ unread: true });
    const shown = entry(await h.request<Sync>('GET', `${V3}/sync`), ops)?.account_data.events;
    expect(shown).toEqual(
      expect.arrayContaining([
        { type: 'm.fully_read', content: { event_id: his } },
        { type: 'm.marked_unread', content: { unread: true } },
      ]),
    );
  });

  test('tags', async () => {
    await using h = await holder(['read', 'tags']);
    await h.request('PUT', mineIn(ops, 'tags/u.work'), { order: 0.5 });
    await h.request('PUT', mineIn(ops, 'tags/m.favourite'), {});
    await h.request('DELETE', mineIn(ops, 'tags/m.favourite'));
    expect(await there(mineIn(ops, 'tags'))).toEqual({ tags: { 'u.work': { order: 0.5 } } });
    expect(await h.request('GET', mineIn(ops, 'tags'))).toEqual({ tags: { 'u.work': { order: 0.5 } } });
    expect(entry(await h.request<Sync>('GET', `${V3}/sync`), ops)?.account_data.events).toEqual([
      { type: 'm.tag', content: { tags: { 'u.work': { order: 0.5 } } } },
    ]);
  });

  test('account data by type, without rooms outside the scope', async () => {
    await using h = await holder(['read', 'account-data:com.example.*']);
    await alice.request('PUT', mine('account_data/com.example.rooms'), {
      rooms: [ops, secret],
      of: { [secret]: 1 },
    });
    await alice.request('PUT', mine('account_data/m.direct'), { [carol.userId]: [secret] });
    expect(await h.request('GET', mine('account_data/com.example.rooms'))).toEqual({ rooms: [ops], of: {} });
    await h.request('PUT', mine('account_data/com.example.set'), { a: 1 });
    await h.request('PUT', mineIn(ops, 'account_data/com.example.set'), { b: 1 });
    expect([
      await there(mine('account_data/com.example.set')),
      await there(mineIn(ops, 'account_data/com.example.set')),
    ]).toEqual([{ a: 1 }, { b: 1 }]);
    const sync = await h.request<Sync>('GET', `${V3}/sync`);
    expect(sync.account_data?.events.map(({ type }) => type).toSorted()).toEqual([
      'com.example.rooms',
      'com.example.set',
    ]);
    expect(entry(sync, ops)?.account_data.events).toEqual([{ type: 'com.example.set', content: { b: 1 } }]);
    expect(JSON.stringify(sync)).not.toContain(secret);
    for (const type of ['m.direct', 'm.ignored_user_list', 'm.push_rules'])
      expect(await outcome(h.request('GET', mine(`account_data/${type}`)))).toEqual({ status: 404 });
  });

  test('push rules, those that name no room outside', async () => {
    await using h = await holder(['read', 'push-rules']);
    for (const room of [ops, secret])
      await alice.request('PUT', `${V3}/pushrules/global/room/${enc(room)}`, { actions: ['notify'] });
    await alice.request('PUT', `${V3}/pushrules/global/sender/${enc(carol.userId)}`, { actions: ['notify'] });
    await alice.request('PUT', `${V3}/pushrules/global/content/launch`, {
      pattern: 'launch',
      actions: ['notify'],
    });
    const { global } = await h.request<{ global: Record<string, { rule_id: string }[]> }>(
      'GET',
      `${V3}/pushrules/`,
    );
    expect(global['room']?.map((rule) => rule.rule_id)).toEqual([ops]);
    expect(global['content']?.map((rule) => rule.rule_id)).toContain('launch');
    expect(global['override']?.map((rule) => rule.rule_id)).toContain('.m.rule.master');
    expect(JSON.stringify(global)).not.toMatch(new RegExp(`${secret}|${carol.localpart}`));
    expect(await h.request('GET', `${V3}/pushrules/global/content/launch/enabled`)).toEqual({
      enabled: true,
    });
    expect(await outcome(h.request('GET', `${V3}/pushrules/global/room/${enc(secret)}`))).toEqual({
      status: 404,
    });
    const sync = await h.request<Sync>('GET', `${V3}/sync`);
    expect(sync.account_data?.events).toEqual([{ type: 'm.push_rules', content: { global } }]);
  });

  test('notifications and counts, of rooms in scope', async () => {
    await using h = await holder(['read', 'notifications']);
    for (let n = 0; n < 3; n++) await carol.say(secret, `${alice.localpart} again`);
    const rang = await bob.say(ops, `${alice.localpart}: ring`);
    for (let n = 0; n < 3; n++) await carol.say(secret, `${alice.localpart} and again`);
    await expect
      .poll(
        async () =>
          (await alice.request<{ notifications: unknown[] }>('GET', `${V3}/notifications`)).notifications
            .length,
      )
      .toBeGreaterThan(6);
    const { notifications } = await h.request<{
      notifications: { room_id: string; event: { event_id: string } }[];
    }>('GET', `${V3}/notifications?limit=1`);
    expect(notifications.map(({ room_id: room, event }) => [room, event.event_id])).toEqual([[ops, rang]]);
    const all = await h.request<{ notifications: { room_id: string }[]; next_token?: string }>(
      'GET',
      `${V3}/notifications`,
    );
    expect(new Set(all.notifications.map(({ room_id: room }) => room))).toEqual(new Set([ops]));
    expect(all.next_token).toBeUndefined();
    const counts = entry(await h.request<Sync>('GET', `${V3}/sync`), ops)?.unread_notifications;
    expect(counts?.notification_count).toBeGreaterThan(0);
    // Read by the subject on another device: the counts go down, and that is news.
    const { next_batch: since } = await h.request<Sync>('GET', `${V3}/sync`);
    const polling = h.request<Sync>('GET', `${V3}/sync?since=${enc(since)}&timeout=10000`);
    await alice.request('POST', roomPath(ops, `receipt/m.read/${enc(rang)}`), {});
    const after = entry(await polling, ops);
    expect([after?.unread_notifications.notification_count, after?.ephemeral.events]).toEqual([0, []]);
  });

  test('thread subscriptions, read', async () => {
    await using h = await holder(['read', 'notifications']);
    const one = (room: string, root: string) =>
      `${MSC4306}/rooms/${enc(room)}/thread/${enc(root)}/subscription`;
    await alice.request('PUT', one(ops, his), {});
    await alice.request('PUT', one(secret, elsewhere), {});
    expect(await h.request('GET', one(ops, his))).toEqual({ automatic: false });
    expect(await outcome(h.request('GET', one(ops, elsewhere)))).toEqual({ status: 403 });
    const list = await h.request<{ subscribed: object }>(
      'GET',
      '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
    );
    expect(Object.keys(list.subscribed)).toEqual([ops]);
    expect(await outcome(h.request('DELETE', one(ops, his)))).toEqual({ status: 403 });
    expect(await there(one(ops, his))).toEqual({ automatic: false });
  });

  test('profile', async () => {
    await using h = await holder(['read', 'profile']);
    const of = (user: Person, field: string) => `${V3}/profile/${enc(user.userId)}/${field}`;
    await h.request('PUT', of(alice, 'displayname'), { displayname: 'Alice by the holder' });
    await h.request('PUT', of(alice, 'm.tz'), { 'm.tz': 'Europe/Berlin' });
    expect(await bob.request('GET', of(alice, 'displayname'))).toEqual({
      displayname: 'Alice by the holder',
    });
    expect(await bob.request('GET', of(alice, 'm.tz'))).toEqual({ 'm.tz': 'Europe/Berlin' });
    await h.request('DELETE', of(alice, 'm.tz'));
    expect(await there(of(alice, 'm.tz'))).toEqual(nothing);
    expect(await outcome(h.request('PUT', of(bob, 'displayname'), { displayname: 'x' }))).toEqual({
      status: 403,
    });
  });

  test('presence', async () => {
    await using h = await holder(['read', 'presence']);
    await h.request('PUT', presenceOf(alice), { presence: 'unavailable', status_msg: 'by the holder' });
    expect(await bob.request('GET', presenceOf(alice))).toMatchObject({
      presence: 'unavailable',
      status_msg: 'by the holder',
    });
    await bob.request('PUT', presenceOf(bob), { presence: 'online', status_msg: 'here' });
    expect(await h.request('GET', presenceOf(bob))).toMatchObject({ presence: 'online', status_msg: 'here' });
    expect(await there(presenceOf(carol))).toMatchObject({ presence: expect.any(String) as string });
    expect(await outcome(h.request('GET', presenceOf(carol)))).toEqual({ status: 403 });
    const sync = await h.request<Sync>('GET', `${V3}/sync?set_presence=online`);
    expect(new Set(sync.presence?.events.map(({ sender }) => sender))).toEqual(new Set([alice.userId]));
    await expect.poll(() => bob.request('GET', presenceOf(alice))).toMatchObject({ presence: 'online' });
  });

  test('the directories', async () => {
    await using h = await holder(['read', 'directory']);
    const found = await h.request<{ chunk: object[] }>('POST', `${V3}/publicRooms`, {
      filter: { generic_search_term: 'Public' },
    });
    expect(found.chunk).toEqual([expect.objectContaining({ room_id: secret, name: 'Public' })]);
    expect((await h.request<{ chunk: object[] }>('GET', `${V3}/publicRooms?limit=5`)).chunk).toHaveLength(1);
    expect(await h.request('GET', `${V3}/directory/room/${enc('#public:test.local')}`)).toMatchObject({
      room_id: secret,
    });
    await expect
      .poll(() => h.request('POST', `${V3}/user_directory/search`, { search_term: bob.localpart }))
      .toMatchObject({ results: [{ user_id: bob.userId }] });
  });
});

test('what is not granted changes nothing, and shows nothing', async () => {
  await using h = await holder(['read']);
  const latest = await bob.say(ops, 'latest');
  const rules = await there(`${V3}/pushrules/`);
  const before = await h.request<Sync>('GET', `${V3}/sync`);
  const me = enc(alice.userId);
  await h.request('PUT', roomPath(ops, `typing/${me}`), { typing: true, timeout: 20_000 });
  await h.request('POST', roomPath(ops, `receipt/m.read/${enc(latest)}`), {});
  await h.request('POST', roomPath(ops, 'read_markers'), { 'm.fully_read': latest, 'm.read': latest });
  const refused = [
    () => h.request('PUT', mineIn(ops, 'tags/u.bad'), {}),
    () => h.request('PUT', mine('account_data/com.example.bad'), { bad: 1 }),
    () => h.request('PUT', mine('account_data/m.ignored_user_list'), { ignored_users: { [bob.userId]: {} } }),
    () => h.request('PUT', mineIn(ops, 'account_data/m.marked_unread'), { unread: false }),
    () => h.request('PUT', `${V3}/pushrules/global/override/.m.rule.master/enabled`, { enabled: true }),
    () => h.request('GET', `${V3}/notifications`),
    () => h.request('PUT', `${V3}/profile/${me}/displayname`, { displayname: 'bad' }),
    () => h.request('PUT', presenceOf(alice), { presence: 'online', status_msg: 'bad' }),
    () => h.request('GET', presenceOf(bob)),
    () => h.request('POST', `${V3}/publicRooms`, {}),
    () => h.request('POST', `${V3}/user_directory/search`, { search_term: 'bob' }),
  ];
  for (const asking of refused) expect(await outcome(asking())).toEqual({ status: 403 });
  expect(await outcome(h.request('GET', `${V3}/directory/room/${enc('#public:test.local')}`))).toEqual({
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
  const seen = await bob.request<Sync>('GET', `${V3}/sync?full_state=true`);
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
