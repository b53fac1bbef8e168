import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEV, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// Searching looks beyond one room, and counts. Advisories looked at: CVE-2022-39335 and CVE-2022-39374
// (Synapse: events, and their order, to who may not see them), CVE-2021-39164 and CVE-2021-39163 (Synapse:
// members, name and counts of a room to who knows its id), CVE-2024-53867 (Synapse: state of rooms one has
// left). And what Synapse does on purpose: it adds the predecessors of the rooms it is told to search, and
// ranks and counts over all of them.

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS, DEV] });
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const event = (room: string, id: string, more: object = {}) => ({
  type: 'm.room.message',
  event_id: id,
  sender: '@bob:hs.test',
  origin_server_ts: 1,
  room_id: room,
  content: { body: `said in ${room}` },
  ...more,
});
const result = (room: string, id: string, context: object = {}) => ({
  rank: 1,
  result: event(room, id),
  context,
});
const answer = (room_events: object) =>
  s.homeserver.answer(({ path }) =>
    path.endsWith('/joined_rooms')
      ? { joined_rooms: [OPS, DEV, SECRET] }
      : { search_categories: { room_events } },
  );
const search = (room_events: object, query = '') =>
  s.ask('POST', `/_matrix/client/v3/search${query}`, {
    body: JSON.stringify({ search_categories: { room_events: { search_term: 'x', ...room_events } } }),
  });
type Filter = { rooms: string[]; not_rooms: string[] };
const asked = () => s.homeserver.seen.filter(({ path }) => path.endsWith('/search'));
const filterAsked = () =>
  (JSON.parse(asked()[0]?.body ?? '{}') as { search_categories: { room_events: { filter: Filter } } })
    .search_categories.room_events.filter;
const shown = (got: Awaited<ReturnType<typeof search>>) =>
  (got.body['search_categories'] as { room_events: Record<string, unknown> }).room_events;

describe('what is asked', () => {
  test.each([
    ['no filter', {}, [OPS, DEV]],
    ['an empty filter', { filter: {} }, [OPS, DEV]],
    ['a room in scope', { filter: { rooms: [OPS] } }, [OPS]],
    ['a room outside beside one inside', { filter: { rooms: [OPS, SECRET] } }, [OPS]],
    ['null for rooms, which means all of them', { filter: { rooms: null } }, [OPS, DEV]],
    ['a room ruled out', { filter: { not_rooms: [OPS] } }, [OPS, DEV]],
  ])('%s: rooms in scope, every other room of the subject ruled out by name', async (_, body, rooms) => {
    answer({ results: [], count: 0 });
    expect((await search(body)).status).toBe(200);
    expect(filterAsked().rooms.toSorted()).toEqual([...rooms].toSorted());
    expect(filterAsked().not_rooms).toContain(SECRET);
  });

  test.each([
    ['rooms outside alone', { filter: { rooms: [SECRET] } }],
    ['no rooms at all', { filter: { rooms: [] } }],
  ])('%s: answered empty, not asked: an empty list would be all rooms', async (_, body) => {
    answer({ results: [result(SECRET, '$1')], count: 1 });
    expect(shown(await search(body))).toEqual({ results: [], count: 0, highlights: [] });
    expect(asked()).toEqual([]);
  });

  test.each([
    ['rooms as a text', { filter: { rooms: SECRET } }],
    ['rooms as an object', { filter: { rooms: { 0: SECRET } } }],
    ['a filter that is none', { filter: [SECRET] }],
    ['keys beyond the three', { keys: ['content.body', 'sender'] }],
    ['an order that is none', { order_by: 'room_id' }],
    ['groups by what is none', { groupings: { group_by: [{ key: 'origin_server_ts' }] } }],
    ['limits below nothing', { event_context: { before_limit: -1 } }],
    ['a term that is none', { search_term: { $ne: '' } }],
  ])('%s: not understood, nothing asked', async (_, body) => {
    answer({ results: [], count: 0 });
    expect((await search(body)).status).toBe(400);
    expect(asked()).toEqual([]);
  });

  test('other categories, and keys that nobody knows, are left out', async () => {
    answer({ results: [], count: 0 });
    const body = {
      search_categories: {
        room_events: { search_term: 'x', evil: SECRET, filter: { evil: SECRET } },
        people: { search_term: 'x' },
        rooms: {},
      },
    };
    expect((await s.ask('POST', '/_matrix/client/v3/search', { body: JSON.stringify(body) })).status).toBe(
      200,
    );
    expect(asked()[0]?.body).not.toMatch(/evil|people/);
  });

  test.each(['!secret:hs.test', 'a b', 'a%00', '"', ''])('a page’s name %s that is none', async (page) => {
    answer({ results: [], count: 0 });
    expect((await search({}, `?next_batch=${encodeURIComponent(page)}`)).status).toBe(400);
    expect(asked()).toEqual([]);
  });

  test('a page’s name of another grant’s search: the rooms are this one’s all the same', async () => {
    answer({ results: [result(SECRET, '$1'), result(OPS, '$2')], count: 2, next_batch: 'theirs2' });
    const got = shown(await search({}, '?next_batch=room_id%0Atheirs'.replace('%0A', '.')));
    expect(filterAsked().rooms.toSorted()).toEqual([OPS, DEV].toSorted());
    expect(JSON.stringify(got)).not.toContain(SECRET);
  });
});

describe('what is shown', () => {
  const around = {
    events_before: [event(SECRET, '$b')],
    events_after: [event(OPS, '$a')],
    start: 't1',
    end: 't2',
    profile_info: {
      '@stranger:hs.test': { displayname: 'Stranger' },
      '@bob:hs.test': { displayname: 'Bob' },
    },
  };

  test('results of a predecessor outside (CVE-2022-39335) are left out, and with them count and pages', async () => {
    answer({
      results: [result(SECRET, '$1'), result(OPS, '$2')],
      count: 2,
      next_batch: 'n',
      highlights: ['x'],
    });
    const got = shown(await search({}));
    expect(got['results']).toHaveLength(1);
    expect(got).not.toHaveProperty('count', 2);
    expect(got).not.toHaveProperty('next_batch');
    expect(JSON.stringify(got)).not.toContain(SECRET);
  });

  test('what stands around a result (CVE-2022-39374), and who said it, is of its room', async () => {
    answer({ results: [result(OPS, '$2', around)], count: 1 });
    const text = JSON.stringify(shown(await search({ event_context: { include_profile: true } })));
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('Stranger');
    expect(text).toContain('$a');
  });

  test('state of rooms outside, and of another room under a room’s name (CVE-2024-53867)', async () => {
    answer({
      results: [result(OPS, '$2')],
      count: 1,
      state: {
        [SECRET]: [event(SECRET, '$s', { state_key: '' })],
        [OPS]: [event(SECRET, '$s', { state_key: '' }), event(OPS, '$o', { state_key: '' })],
      },
    });
    const text = JSON.stringify(shown(await search({ include_state: true })));
    expect(text).not.toContain(SECRET);
    expect(text).toContain('$o');
  });

  test('groups of rooms outside, and results in a group that are not shown (CVE-2021-39163)', async () => {
    answer({
      results: [result(OPS, '$2')],
      count: 1,
      groups: {
        room_id: {
          [SECRET]: { results: ['$1'], order: 1, next_batch: 'x' },
          [OPS]: { results: ['$1', '$2'], order: 2, next_batch: 'y' },
        },
        sender: {
          '@stranger:hs.test': { results: ['$1'], order: 1 },
          '@bob:hs.test': { results: ['$1', '$2'], order: 2 },
        },
      },
    });
    const text = JSON.stringify(
      shown(await search({ groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] } })),
    );
    expect(text).not.toMatch(/secret|stranger|"\$1"/);
    expect(text).toContain('$2');
  });

  test.each([
    ['no room', { room_id: undefined }],
    ['a room in a list', { room_id: [OPS] }],
    ['a room that looks alike', { room_id: OPS.toUpperCase() }],
  ])('a result that says %s is none', async (_, more) => {
    answer({ results: [{ rank: 1, result: event(OPS, '$1', more) }], count: 1 });
    expect(shown(await search({}))['results']).toEqual([]);
  });

  test.each(['{}', '[]', '{"search_categories":[]}', '{"search_categories":{"room_events":{"results":{}}}}'])(
    'nonsense %s is a clean error',
    async (text) => {
      s.homeserver.answer(({ path }) =>
        path.endsWith('/joined_rooms') ? { joined_rooms: [OPS] } : JSON.parse(text),
      );
      expect((await search({})).status).toBe(502);
    },
  );
});

test('members at a time of one’s choosing (CVE-2021-39164): of rooms in scope alone', async () => {
  s.homeserver.answer(() => ({ chunk: [] }));
  for (const version of ['r0', 'unstable', 'v3']) {
    const path = `/_matrix/client/${version}/rooms/${encodeURIComponent(SECRET)}/members?at=s1`;
    expect((await s.ask('GET', path)).status).toBe(403);
  }
  expect(s.homeserver.seen).toEqual([]);
});
