import { describe, expect, test } from 'vitest';
import type { RoomId } from '../../../src/domain/ids.ts';
import { DEV, grantOf, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';
import { until } from '../../support/wait.ts';

const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
const ALL = {
  lists: { all: { ranges: [[0, 19]], timeline_limit: 5, required_state: [['m.room.name', '']] } },
};

/** A gateway whose token has a device, before a homeserver that answers so. */
async function withDevice(
  answer: (body: Record<string, unknown>, query: URLSearchParams) => unknown,
  rooms: RoomId[] = [OPS, DEV],
): Promise<Stage> {
  const s = await stage({ rooms });
  s.desk.add(TOKEN, { grant: grantOf(rooms), rooms: new Set(rooms), device: true });
  s.homeserver.answer((seen) =>
    answer(JSON.parse(seen.body === '' ? '{}' : seen.body) as Record<string, unknown>, seen.query),
  );
  return s;
}

const ask = (s: Stage, body: unknown, query = '') =>
  s.ask('POST', `${SLIDING}${query}`, { body: typeof body === 'string' ? body : JSON.stringify(body) });
const sent = (s: Stage, at = 0) =>
  JSON.parse(s.homeserver.seen[at]?.body ?? '{}') as {
    lists: object;
    room_subscriptions: Record<string, unknown>;
  };
const event = (body: string, more: object = {}) => ({
  type: 'm.room.message',
  event_id: `$${body}`,
  sender: '@bob:hs.test',
  content: { body },
  origin_server_ts: 1,
  ...more,
});

describe('a token without a device', () => {
  test.each([SLIDING, '/_matrix/client/v4/sync'])(
    'is told that there is no such operation, before its request is read: %s',
    async (path) => {
      await using s = await stage();
      for (const body of [JSON.stringify(ALL), 'not json', '{"a":1,"a":2}']) {
        const { status, body: told } = await s.ask('POST', path, { body });
        expect([status, told['errcode']]).toEqual([404, 'M_UNRECOGNIZED']);
      }
      expect(s.homeserver.seen).toEqual([]);
    },
  );

  test('sees it in /versions only where it has one, whatever others saw before', async () => {
    const served = {
      versions: ['v1.11'],
      unstable_features: { 'org.matrix.simplified_msc3575': true, 'org.matrix.msc4140': true },
    };
    await using s = await withDevice(() => served);
    s.desk.add('mwt_8F3K9Q_other', { grant: grantOf([OPS]), rooms: new Set([OPS]) });
    const featuresFor = async (token: string | null) =>
      (await s.ask('GET', '/_matrix/client/versions', { token })).body['unstable_features'];
    for (let twice = 0; twice < 2; twice++) {
      expect(await featuresFor(null)).toEqual({});
      expect(await featuresFor('mwt_8F3K9Q_other')).toEqual({});
      expect(await featuresFor('mwt_wrong')).toEqual({});
      expect(await featuresFor(TOKEN)).toEqual({ 'org.matrix.simplified_msc3575': true });
    }
  });
});

test('the homeserver is asked for no list, and for subscriptions to rooms in scope alone', async () => {
  await using s = await withDevice(() => ({ pos: 'p1', rooms: {} }));
  await ask(
    s,
    {
      conn_id: 'room-list',
      lists: {
        all: {
          ranges: [[0, 99]],
          timeline_limit: 1,
          required_state: [['m.room.name', '']],
          sort: ['leak'],
          'org.leak': 1,
        },
        more: {
          ranges: [[0, 0]],
          timeline_limit: 1_000_000,
          required_state: [['m.room.member', '$LAZY']],
          slow_get_all_rooms: true,
        },
        direct: { ranges: [[0, 99]], timeline_limit: 50, filters: { is_dm: true } },
      },
      room_subscriptions: {
        [SECRET]: { timeline_limit: 20, required_state: [['*', '*']] },
        [OPS]: { timeline_limit: 7, leak: true },
      },
      extensions: {
        to_device: { enabled: true, since: '1' },
        e2ee: { enabled: true },
        account_data: { enabled: true },
        receipts: { enabled: true },
        typing: { enabled: true },
      },
      unsubscribe_rooms: [SECRET],
      leak: 1,
    },
    '?timeout=0&set_presence=online&leak=1',
  );
  expect(s.homeserver.seen).toHaveLength(1);
  const [seen] = s.homeserver.seen;
  expect([seen?.method, seen?.path, Object.fromEntries(seen?.query ?? [])]).toEqual([
    'POST',
    SLIDING,
    { timeout: '0', set_presence: 'offline' },
  ]);
  expect(sent(s)).toEqual({
    conn_id: '7F3K9Q.room-list',
    lists: {},
    room_subscriptions: {
      [DEV]: { timeline_limit: 1, required_state: [['m.room.name', '']] },
      [OPS]: { timeline_limit: 7, required_state: [['m.room.name', '']] },
      [[OPS, DEV].toSorted()[0] ?? '']: {
        timeline_limit: 100,
        required_state: [
          ['m.room.name', ''],
          ['m.room.member', '$LAZY'],
        ],
      },
    },
  });
  expect(seen?.body).not.toMatch(/leak|secret/);
});

test('of everything the answer can hold, only what a member of the rooms in scope sees comes through', async () => {
  const room = (words: string) => ({
    name: words,
    initial: true,
    timeline: [event(words)],
    required_state: [event(words, { type: 'm.room.name', state_key: '' })],
  });
  await using s = await withDevice(() => ({
    pos: 'p1',
    lists: {
      all: { count: 4711, ops: [{ op: 'SYNC', range: [0, 1], room_ids: [SECRET, OPS] }] },
      leak: { count: 1 },
    },
    rooms: {
      [SECRET]: room('leak: another room'),
      [OPS]: {
        ...room('in scope'),
        avatar: 'mxc://hs.test/a',
        heroes: [{ user_id: '@bob:hs.test', displayname: 'Bob', leak: 1 }, 'leak'],
        is_dm: true,
        notification_count: 3,
        highlight_count: 2,
        joined_count: 2,
        bump_stamp: 9,
        lists: ['leak'],
        tags: { leak: 1 },
        timeline: [
          event('in scope', { unsigned: { transaction_id: 'leak', age: 1 } }),
          event('leak: elsewhere', { room_id: SECRET }),
          'leak',
          event('thread', {
            unsigned: {
              'm.relations': { 'm.thread': { count: 1, latest_event: event('leak', { room_id: SECRET }) } },
            },
          }),
        ],
      },
      [DEV]: {
        invite_state: [
          { type: 'm.room.name', state_key: '', content: { name: 'D' }, sender: '@bob:hs.test', leak: 1 },
          event('leak', { room_id: SECRET }),
        ],
        initial: true,
      },
    },
    extensions: {
      to_device: { events: [{ leak: 1 }] },
      e2ee: { device_lists: { changed: ['@leak:hs.test'] } },
      account_data: { global: [{ leak: 1 }] },
      receipts: { rooms: { [OPS]: { leak: 1 } } },
    },
    leak: true,
  }));
  const { status, body } = await ask(s, ALL);
  expect(status).toBe(200);
  expect(JSON.stringify(body)).not.toMatch(/leak|secret|4711|is_dm|notification_count|highlight_count/);
  expect(body).toMatchObject({
    pos: 'p1',
    lists: { all: { count: 2, ops: [{ op: 'SYNC', range: [0, 19], room_ids: [OPS, DEV].toSorted() }] } },
    rooms: {
      [OPS]: {
        name: 'in scope',
        avatar: 'mxc://hs.test/a',
        joined_count: 2,
        bump_stamp: 9,
        heroes: [{ user_id: '@bob:hs.test', displayname: 'Bob' }],
        timeline: [{ content: { body: 'in scope' } }, { content: { body: 'thread' } }],
        required_state: [{ type: 'm.room.name' }],
      },
      [DEV]: { invite_state: [{ type: 'm.room.name', content: { name: 'D' } }] },
    },
    extensions: {},
  });
});

test('lists of what is the subject’s own are empty, and a window counts places of rooms in scope', async () => {
  await using s = await withDevice(() => ({ pos: 'p1', rooms: {} }));
  const { body } = await ask(s, {
    lists: {
      dm: { ranges: [[0, 9]], filters: { is_dm: true } },
      invites: { ranges: [[0, 9]], filters: { is_invite: true } },
      favourites: { ranges: [[0, 9]], filters: { tags: ['m.favourite'] } },
      second: { ranges: [[1, 1]], filters: { is_dm: false, not_room_types: ['m.space'] } },
    },
  });
  const second = [OPS, DEV].toSorted()[1] ?? '';
  expect(body['lists']).toEqual({
    dm: { count: 0, ops: [{ op: 'SYNC', range: [0, 9], room_ids: [] }] },
    invites: { count: 0, ops: [{ op: 'SYNC', range: [0, 9], room_ids: [] }] },
    favourites: { count: 0, ops: [{ op: 'SYNC', range: [0, 9], room_ids: [] }] },
    second: { count: 2, ops: [{ op: 'SYNC', range: [1, 1], room_ids: [second] }] },
  });
  expect(Object.keys(sent(s).room_subscriptions)).toEqual([second]);
});

describe('the wait', () => {
  const quiet = {
    [OPS]: { notification_count: 7, highlight_count: 1, bump_stamp: 9, num_live: 0 },
    [SECRET]: { initial: true, timeline: [event('leak')] },
  };

  test('goes on, from the position it came to, while there is nothing to show', async () => {
    await using s = await withDevice((_, query) => {
      if (query.get('pos') === 'p3') return { pos: 'p4', rooms: { [OPS]: { timeline: [event('news')] } } };
      return { pos: query.get('pos') === 'p1' ? 'p2' : 'p3', rooms: quiet };
    });
    const { body } = await ask(s, ALL, '?pos=p1&timeout=10000');
    expect(s.homeserver.seen.map(({ query }) => query.get('pos'))).toEqual(['p1', 'p2', 'p3']);
    expect([body['pos'], Object.keys(body['rooms'] as object)]).toEqual(['p4', [OPS]]);
    expect(Number(s.homeserver.seen[2]?.query.get('timeout'))).toBeLessThan(10_000);
  });

  test('ends at the holder’s deadline with nothing of what came', async () => {
    await using s = await withDevice(() => ({ pos: 'p2', rooms: quiet }));
    const { body } = await ask(s, ALL, '?pos=p1&timeout=300');
    expect(body).toMatchObject({ pos: 'p2', rooms: {} });
    expect(s.homeserver.seen.length).toBeLessThan(10);
  });

  test('is none for a first request', async () => {
    await using s = await withDevice(() => ({ pos: 'p1', rooms: {} }));
    const { body } = await ask(s, ALL, '?timeout=30000');
    expect([body['pos'], s.homeserver.seen[0]?.query.get('timeout')]).toEqual(['p1', '0']);
  });

  test('ends when the grant does', async () => {
    await using s = await withDevice(() => undefined);
    const answer = ask(s, ALL, '?pos=p1&timeout=30000');
    await until(() => s.homeserver.seen.length > 0);
    s.desk.end(grantOf([]).id);
    expect((await answer).status).toBe(401);
  });

  test('of a scope of all rooms takes a room in that the subject has just joined, and no other', async () => {
    const grant = grantOf('all');
    await using s = await withDevice((body, query) => {
      const asked = Object.keys(body['room_subscriptions'] as object);
      const rooms = Object.fromEntries(
        asked
          .filter((room) => room !== OPS)
          .map((room) => [room, { initial: true, timeline: [event('new')] }]),
      );
      s.desk.join(grant.id, [OPS, DEV]);
      return {
        pos: `${query.get('pos')}+`,
        rooms: { ...rooms, [SECRET]: { initial: true, timeline: [event('leak')] } },
      };
    });
    s.desk.add(TOKEN, { grant, rooms: new Set([OPS]), device: true });
    const { body } = await ask(s, ALL, '?pos=p&timeout=10000');
    expect(Object.keys(body['rooms'] as object)).toEqual([DEV]);
    expect(body['lists']).toMatchObject({ all: { count: 2 } });
  });
});

test.each([
  ['no object', '[]'],
  ['a position that is an id', ALL, '?pos=!secret:hs.test'],
  ['a wait that is no number', ALL, '?timeout=-1'],
  ['a connection with odd characters', { ...ALL, conn_id: '7F3K9Q.x\u0000' }],
  ['lists that are a list', { lists: [] }],
  ['a range backwards', { lists: { a: { ranges: [[5, 1]] } } }],
  ['a range below nothing', { lists: { a: { ranges: [[-1, 1]] } } }],
  ['a range of text', { lists: { a: { ranges: [['0', '1']] } } }],
  ['a timeline below nothing', { lists: { a: { ranges: [[0, 1]], timeline_limit: -1 } } }],
  ['state that is no pair', { lists: { a: { ranges: [[0, 1]], required_state: [['m.room.name']] } } }],
  ['too many lists', { lists: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`l${at}`, {}])) }],
  ['a subscription that is none', { room_subscriptions: { [OPS]: 1 } }],
  ['filters that are none', { lists: { a: { filters: ['is_dm'] } } }],
  ['a key twice', '{"lists":{},"lists":{}}'],
])('%s is refused, and asked of nobody', async (_, body, query = '') => {
  await using s = await withDevice(() => ({ pos: 'p1', rooms: {} }));
  expect((await ask(s, body, query)).status).toBe(400);
  expect(s.homeserver.seen).toEqual([]);
});

test.each([
  ['no position', { rooms: {} }],
  ['rooms that are a list', { pos: 'p', rooms: [] }],
  ['a room that is text', { pos: 'p', rooms: { [OPS]: 'leak' } }],
  ['a timeline that is an object', { pos: 'p', rooms: { [OPS]: { timeline: { leak: 1 } } } }],
  ['a list', []],
])('an answer with %s is a 502', async (_, answer) => {
  await using s = await withDevice(() => answer);
  const { status, body } = await ask(s, ALL);
  expect(status).toBe(502);
  expect(JSON.stringify(body)).not.toContain('leak');
});

test('a position the homeserver has forgotten is reported as such, so that clients start again', async () => {
  await using s = await withDevice(() => ({}));
  s.homeserver.answer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errcode: 'M_UNKNOWN_POS', error: 'leak: connection of !secret:hs.test' }));
  });
  const { status, body } = await ask(s, ALL, '?pos=p1');
  expect([status, body['errcode']]).toEqual([400, 'M_UNKNOWN_POS']);
  expect(JSON.stringify(body)).not.toContain('leak');
});

test('another method, and the draft before, are not served even with a device', async () => {
  await using s = await withDevice(() => ({}));
  for (const [method, path] of [
    ['GET', SLIDING],
    ['PUT', SLIDING],
    ['POST', '/_matrix/client/unstable/org.matrix.msc3575/sync'],
  ] as const) {
    expect((await s.ask(method, path, method === 'GET' ? {} : { body: '{}' })).status).toBe(404);
  }
  expect(s.homeserver.seen).toEqual([]);
});
