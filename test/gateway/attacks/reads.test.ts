import { describe, expect, test } from 'vitest';
import type { RoomId } from '../../../src/domain/ids.ts';
import { OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// Ids stand in many places of an answer, and counts and pages tell of what was left out. Learned from
// Synapse's own code: a search adds the predecessors of the rooms it is told to search, an event is loaded
// before its room is looked at, a hierarchy's pages count the rooms that a filter leaves out.

const V1 = '/_matrix/client/v1';
const V3 = '/_matrix/client/v3';
const ROOM = `${V1}/rooms/${encodeURIComponent(OPS)}`;
const SPACE = '!space:hs.test' as RoomId;
const DEEP = '!deep:hs.test' as RoomId;
const event = (room: unknown, more: object = {}) => ({
  type: 'm.room.message',
  event_id: '$1',
  sender: '@bob:hs.test',
  content: { body: 'x' },
  ...(room === undefined ? {} : { room_id: room }),
  ...more,
});
const leak = { leak: SECRET, 'org.leak': { room_id: SECRET }, total: 7, count: 7 };

describe('answers that speak of another room', () => {
  const bundle = (room: string) => ({
    unsigned: {
      'm.relations': {
        'm.thread': { latest_event: event(room), count: 1, leak },
        'org.leak': leak,
        'm.replace': event(room),
      },
    },
  });
  test.each([
    [
      'relations',
      `${ROOM}/relations/$1`,
      {
        chunk: [event(SECRET), event(undefined), event(OPS), null, 1],
        next_batch: 'n',
        recursion_depth: 2,
        original_event: event(SECRET),
        ...leak,
      },
      { chunk: [event(OPS)], next_batch: 'n', recursion_depth: 2 },
    ],
    [
      'threads',
      `${ROOM}/threads`,
      {
        chunk: [event(OPS, bundle(SECRET)), event(SECRET, bundle(OPS))],
        next_batch: { room: SECRET },
        ...leak,
      },
      { chunk: [event(OPS, { unsigned: { 'm.relations': {} } })] },
    ],
    [
      'a moment',
      `${ROOM}/timestamp_to_event?ts=1`,
      { event_id: '$1', origin_server_ts: 5, room_id: SECRET, ...leak },
      { event_id: '$1', origin_server_ts: 5 },
    ],
    [
      'aliases',
      `${V3}/rooms/${encodeURIComponent(OPS)}/aliases`,
      { aliases: ['#a:hs.test', SECRET, 1, { a: SECRET }], ...leak },
      { aliases: ['#a:hs.test'] },
    ],
    [
      'visibility',
      `${V3}/directory/list/room/${encodeURIComponent(OPS)}`,
      { visibility: 'public', ...leak },
      { visibility: 'public' },
    ],
    [
      'an alias',
      `${V3}/directory/room/%23ops:hs.test`,
      { room_id: OPS, servers: ['hs.test'], ...leak },
      { room_id: OPS, servers: ['hs.test'] },
    ],
    [
      'a room in short',
      `${V1}/room_summary/${encodeURIComponent(OPS)}`,
      {
        room_id: OPS,
        name: 'Ops',
        num_joined_members: 2,
        allowed_room_ids: [SECRET, OPS, 1],
        name_: SECRET,
        ...leak,
      },
      { room_id: OPS, name: 'Ops', num_joined_members: 2, allowed_room_ids: [OPS] },
    ],
  ])('%s', async (_, path, upstream, expected) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => upstream);
    expect(await s.ask('GET', path)).toMatchObject({ status: 200, body: expected });
    const { body } = await s.ask('GET', path);
    expect(body).toEqual(expected);
  });

  test.each([
    [
      'an alias that leads outside',
      `${V3}/directory/room/%23other:hs.test`,
      { room_id: SECRET, servers: ['hs.test'] },
    ],
    ['an alias that leads to a list', `${V3}/directory/room/%23other:hs.test`, { room_id: [OPS] }],
    [
      'a summary of another room',
      `${V1}/room_summary/${encodeURIComponent(OPS)}`,
      { room_id: SECRET, name: 'Secret' },
    ],
    ['a moment without an event', `${ROOM}/timestamp_to_event?ts=1`, { origin_server_ts: 5 }],
  ])('%s is not found', async (_, path, upstream) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => upstream);
    expect(await s.ask('GET', path)).toMatchObject({
      status: 404,
      body: { errcode: 'M_NOT_FOUND', error: 'It was not found.' },
    });
  });
});

describe('a search', () => {
  const results = (...rooms: unknown[]) =>
    rooms.map((room, at) => ({
      rank: 1,
      result: event(room, { event_id: `$${at}` }),
      context: {
        start: 's',
        end: 'e',
        leak,
        events_before: [event(room), event(SECRET)],
        events_after: [event(SECRET), event(undefined)],
        profile_info: {
          '@bob:hs.test': { displayname: 'Bob', leak },
          '@carol:hs.test': { displayname: 'Carol' },
        },
      },
    }));
  const answer = (found: unknown[], more: object = {}) => ({
    search_categories: { room_events: { results: found, ...more }, users: leak },
  });
  const search = (s: Stage, criteria: object, query = '') =>
    s.ask('POST', `${V3}/search${query}`, {
      body: JSON.stringify({ search_categories: { room_events: criteria, users: { search_term: 'x' } } }),
    });
  const homeserver = (s: Stage, body: unknown, joined: readonly string[] = [OPS, SECRET, '!older:hs.test']) =>
    s.homeserver.answer(({ path }) => (path.endsWith('/joined_rooms') ? { joined_rooms: joined } : body));
  type Sent = { search_categories: { room_events: { filter: { rooms: string[]; not_rooms: string[] } } } };
  const sent = (s: Stage) =>
    JSON.parse(s.homeserver.seen.find((one) => one.path.endsWith('/search'))?.body ?? '{}') as Sent;

  test.each([
    ['no filter', {}],
    ['a room outside', { rooms: [SECRET, OPS] }],
    ['null', { rooms: null, not_rooms: null }],
    ['names nobody knows', { 'org.rooms': [SECRET], room: { rooms: [SECRET] } }],
  ])('is asked in the scope alone, every other room ruled out: %s', async (_, filter) => {
    await using s = await stage({ rooms: [OPS] });
    homeserver(s, answer([]));
    expect((await search(s, { search_term: 'x', filter, leak: SECRET })).status).toBe(200);
    expect(sent(s)).toEqual({
      search_categories: {
        room_events: { search_term: 'x', filter: { rooms: [OPS], not_rooms: [SECRET, '!older:hs.test'] } },
      },
    });
  });

  test.each([[{ rooms: [SECRET] }], [{ rooms: [] }]])(
    'of rooms outside alone is answered here: %o',
    async (filter) => {
      await using s = await stage({ rooms: [OPS] });
      homeserver(s, answer(results(SECRET)));
      const got = await search(s, { search_term: 'x', filter });
      expect(got.body).toEqual({
        search_categories: { room_events: { results: [], count: 0, highlights: [] } },
      });
      expect(s.homeserver.seen.map((one) => one.path)).toEqual([`${V3}/joined_rooms`]);
    },
  );

  test('shows nothing of outside, and no count or page where something was left out', async () => {
    await using s = await stage({ rooms: [OPS] });
    const state = { [OPS]: [event(OPS), event(SECRET)], [SECRET]: [event(SECRET)] };
    const groups = {
      room_id: {
        [OPS]: { results: ['$0', '$1', '$9'], order: 1, next_batch: 'n' },
        [SECRET]: { results: ['$1'], order: 2 },
      },
      sender: {
        '@bob:hs.test': { results: ['$0', '$1'], order: 1 },
        '@carol:hs.test': { results: ['$1'], order: 2 },
      },
      'org.leak': leak,
    };
    homeserver(
      s,
      answer(results(OPS, SECRET, undefined, [OPS]), {
        ...leak,
        count: 9,
        next_batch: 'n',
        highlights: ['x', 'hidden', 1],
        state,
        groups,
      }),
    );
    const { body } = await search(s, { search_term: 'x' });
    expect(body).toEqual({
      search_categories: {
        room_events: {
          results: [
            {
              rank: 1,
              result: event(OPS, { event_id: '$0' }),
              context: {
                start: 's',
                end: 'e',
                events_before: [event(OPS)],
                events_after: [],
                profile_info: { '@bob:hs.test': { displayname: 'Bob' } },
              },
            },
          ],
          highlights: ['x'],
          state: { [OPS]: [event(OPS)] },
          groups: {
            room_id: { [OPS]: { results: ['$0'] } },
            sender: { '@bob:hs.test': { results: ['$0'] } },
          },
        },
      },
    });
  });

  test('counts and pages where all of it is inside', async () => {
    await using s = await stage({ rooms: [OPS] });
    homeserver(s, answer(results(OPS), { count: 9, next_batch: 'n' }));
    const { body } = await search(s, { search_term: 'x' }, '?next_batch=abc');
    expect(body).toMatchObject({ search_categories: { room_events: { count: 9, next_batch: 'n' } } });
    expect(s.homeserver.seen.at(-1)?.url).toBe(`${V3}/search?next_batch=abc`);
  });

  test.each([
    [{ search_term: ['x'] }],
    [{}],
    [{ search_term: 'x'.repeat(2_000) }],
    [{ search_term: 'x', keys: ['content.secret'] }],
    [{ search_term: 'x', order_by: 'room' }],
    [{ search_term: 'x', groupings: { group_by: [{ key: 'everything' }] } }],
    [{ search_term: 'x', event_context: { before_limit: -1 } }],
    [{ search_term: 'x', filter: { rooms: OPS } }],
    [{ search_term: 'x', filter: { rooms: [[SECRET]] } }],
  ])('that is not understood is not asked: %o', async (criteria) => {
    await using s = await stage({ rooms: [OPS] });
    homeserver(s, answer([]));
    expect((await search(s, criteria)).status).toBe(400);
    expect(s.homeserver.seen.filter((one) => one.path.endsWith('/search'))).toEqual([]);
  });

  test.each([
    { 'a list': [] },
    { search_categories: [] },
    { search_categories: { room_events: { results: {} } } },
    { search_categories: { room_events: { results: [], state: [] } } },
  ])('answered with nonsense is a 502: %o', async (nonsense) => {
    await using s = await stage({ rooms: [OPS] });
    homeserver(s, nonsense);
    expect((await search(s, { search_term: 'x' })).status).toBe(502);
  });
});

describe('a space', () => {
  const child = (key: unknown) => ({
    type: 'm.space.child',
    state_key: key,
    sender: '@bob:hs.test',
    content: { via: ['hs.test'] },
    origin_server_ts: 1,
    leak,
  });
  const room = (id: unknown, children: unknown[] = [], more: object = {}) => ({
    room_id: id,
    name: `Name ${String(id)}`,
    children_state: children.map(child),
    ...leak,
    ...more,
  });
  const shown = (id: string, children: string[] = []) => ({
    room_id: id,
    name: `Name ${id}`,
    children_state: children.map((key) => ({
      type: 'm.space.child',
      state_key: key,
      sender: '@bob:hs.test',
      content: { via: ['hs.test'] },
      origin_server_ts: 1,
    })),
  });
  const path = `${V1}/rooms/${encodeURIComponent(SPACE)}/hierarchy`;

  test('shows rooms in scope, and of children those in scope', async () => {
    await using s = await stage({ rooms: [SPACE, OPS] });
    s.homeserver.answer(() => ({
      rooms: [room(SPACE, [SECRET, OPS, [OPS], null]), room(SECRET, [OPS]), room(OPS, [SECRET]), room([OPS])],
      ...leak,
    }));
    expect((await s.ask('GET', path)).body).toEqual({ rooms: [shown(SPACE, [OPS]), shown(OPS)] });
  });

  test('does not show what is reached only through a room outside', async () => {
    await using s = await stage({ rooms: [SPACE, DEEP] });
    s.homeserver.answer(() => ({ rooms: [room(SPACE, [SECRET]), room(SECRET, [DEEP]), room(DEEP)] }));
    expect((await s.ask('GET', path)).body).toEqual({ rooms: [shown(SPACE)] });
  });

  test('has as many pages as there are rooms in scope, however many there are outside', async () => {
    await using s = await stage({ rooms: [SPACE, OPS] });
    const pages: Record<string, unknown> = {
      '': { rooms: [room(SPACE, ['!x1', '!x2', OPS])], next_batch: 'p1' },
      p1: { rooms: [room('!x1')], next_batch: 'p2' },
      p2: { rooms: [room('!x2')], next_batch: 'p3' },
      p3: { rooms: [room(OPS)] },
    };
    s.homeserver.answer(({ query }) => pages[query.get('from') ?? '']);
    const first = await s.ask('GET', `${path}?limit=1`);
    expect(first.body).toEqual({ rooms: [shown(SPACE, [OPS])], next_batch: 'mw1' });
    expect((await s.ask('GET', `${path}?limit=1&from=mw1`)).body).toEqual({ rooms: [shown(OPS)] });
    // The homeserver's own pages are not a holder's to ask for.
    expect((await s.ask('GET', `${path}?from=p1`)).status).toBe(400);
  });

  test('that names itself ends', async () => {
    await using s = await stage({ rooms: [SPACE, OPS] });
    s.homeserver.answer(() => ({
      rooms: [room(SPACE, [OPS, SPACE]), room(OPS, [SPACE])],
      next_batch: 'again',
    }));
    expect((await s.ask('GET', path)).body).toEqual({
      rooms: [shown(SPACE, [OPS, SPACE]), shown(OPS, [SPACE])],
    });
    expect(s.homeserver.seen.length).toBeLessThanOrEqual(10);
  });

  test.each([[{ rooms: {} }], [{}], [{ rooms: [1] }], [{ rooms: [], next_batch: 1 }]])(
    'answered with nonsense is a 502: %o',
    async (nonsense) => {
      await using s = await stage({ rooms: [SPACE] });
      s.homeserver.answer(() => nonsense);
      expect((await s.ask('GET', path)).status).toBe(502);
    },
  );
});

describe('what is missing is said, and nothing else', () => {
  test('a capability by name, the same whatever room was asked for', async () => {
    await using s = await stage({ rooms: [OPS] });
    const told: unknown[] = [];
    for (const room of [OPS, SECRET, '!nowhere:hs.test']) {
      const got = await s.ask('PUT', `${V3}/rooms/${encodeURIComponent(room)}/send/m.room.message/1`, {
        body: '{}',
      });
      expect(got).toMatchObject({
        status: 403,
        body: { errcode: 'M_FORBIDDEN', error: 'This token does not hold the capability send.' },
      });
      told.push([got.headers.get('www-authenticate'), got.headers.get('access-control-expose-headers')]);
    }
    const expected = ['Bearer error="insufficient_scope", scope="send"', 'Retry-After, WWW-Authenticate'];
    expect(told).toEqual([expected, expected, expected]);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('a token without `read` is told so for every room alike', async () => {
    await using s = await stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: [] } } });
    const told = [OPS, SECRET].map(async (room) => {
      const got = await s.ask('GET', `${V3}/rooms/${encodeURIComponent(room)}/messages`);
      return { status: got.status, body: got.body, scope: got.headers.get('www-authenticate') };
    });
    const [first, second] = await Promise.all(told);
    expect(first).toEqual(second);
    expect(first?.scope).toBe('Bearer error="insufficient_scope", scope="read"');
  });

  test('a room outside is not: no name of a capability would help', async () => {
    await using s = await stage({ rooms: [OPS] });
    const got = await s.ask('GET', `${V3}/rooms/${encodeURIComponent(SECRET)}/messages`);
    expect([got.status, got.headers.get('www-authenticate')]).toEqual([403, null]);
  });
});

test('versions and features that nobody decided about are not advertised', async () => {
  await using s = await stage({ rooms: [OPS] });
  const features = {
    'org.matrix.msc4222': true,
    'org.matrix.msc4140': true,
    'org.matrix.simplified_msc3575': true,
    'org.matrix.msc3916.stable': true,
  };
  s.homeserver.answer(() => ({
    versions: ['r0.6.1', 'v1.1', 'v1.19', 'v1.20', 'v9.9', 7],
    unstable_features: features,
    ...leak,
  }));
  expect((await s.ask('GET', '/_matrix/client/versions')).body).toEqual({
    versions: ['r0.6.1', 'v1.1', 'v1.19'],
    unstable_features: { 'org.matrix.msc4222': true, 'org.matrix.msc3916.stable': true },
  });
});
