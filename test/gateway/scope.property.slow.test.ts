import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { CATALOGUE } from '../../src/gateway/endpoints/catalogue.ts';
import { isResponse } from '../../src/gateway/http/response.ts';
import { planFor } from '../../src/gateway/steps/authorize.ts';
import { parseJson } from '../../src/gateway/http/json.ts';
import { parseTarget } from '../../src/gateway/http/target.ts';
import { upstreamSyncRequest } from '../../src/gateway/sync/sync-request.ts';
import { createRouter } from '../../src/gateway/request/router.ts';
import { accessOf, ALICE } from './support/grants.ts';
import { stage } from './support/stage.ts';

const ROOMS = [
  '!a:hs.test',
  '!b:hs.test',
  '!Ckut5YSer-wBSabcdefghijklmnopqrstuvwxyz1234',
  '!d:hs.test',
  '!a:hs.test.evil',
  '!A:hs.test',
] as RoomId[];
const EVENTS = ['$e1', '$e2:hs.test'];
const USERS = [ALICE, '@bob:hs.test', '@alice:hs.test.evil'];

/** Ways to write a text in a path: plain, encoded, encoded too much, twice, with something on it. */
const spelled = (text: string) =>
  fc
    .constantFrom<(text: string) => string>(
      (t) => t,
      encodeURIComponent,
      (t) => encodeURIComponent(encodeURIComponent(t)),
      (t) => [...Buffer.from(t)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
      (t) => `${encodeURIComponent(t)}%2F..`,
      (t) => `./${t}`,
      (t) => `${t}/../${encodeURIComponent(ROOMS[3] ?? '')}`,
      (t) => `${t}%00`,
      (t) => `${t};x=y`,
      (t) => t.toUpperCase(),
    )
    .map((spell) => spell(text));

const value = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...ROOMS).chain(spelled) },
  { weight: 2, arbitrary: fc.constantFrom(...EVENTS, ...USERS).chain(spelled) },
  fc.constantFrom('m.room.member', 'm.room.name', '', 'x', '..', '%2e%2e', 'join', 'v3', '__proto__'),
);
const pattern = fc.constantFrom(
  ...CATALOGUE.flatMap((endpoint) => [...endpoint.paths, ...(endpoint.aliases ?? [])]),
);
const path = fc
  .tuple(
    pattern,
    fc.array(value, { minLength: 6, maxLength: 6 }),
    fc.constantFrom('v3', 'r0', 'v1', 'unstable'),
  )
  .map(([pattern, values, version]) => {
    let at = 0;
    return pattern
      .replace('{v}', version)
      .replaceAll(/\{\w+\}|\*\*/g, () => values[at++ % values.length] ?? '');
  });
const roomList = fc.array(fc.constantFrom(...ROOMS), { maxLength: 4 });
const filter = fc
  .record(
    {
      rooms: roomList,
      not_rooms: roomList,
      room: fc.record({
        rooms: roomList,
        timeline: fc.record({ rooms: roomList, not_rooms: roomList }),
        state: fc.record({ rooms: roomList }),
        ephemeral: fc.record({ rooms: roomList }),
      }),
      x: fc.constantFrom(...ROOMS),
    },
    { requiredKeys: [] },
  )
  .map((one) => JSON.stringify(one));
const parameter = fc.tuple(
  fc.constantFrom(
    'filter',
    'from',
    'to',
    'dir',
    'limit',
    'since',
    'room_id',
    'user_id',
    'timeout',
    'at',
    'membership',
    'format',
    'full_state',
    'via',
    'x',
  ),
  fc.oneof(filter, fc.constantFrom('b', 'f', '10', 'true', 'join', 'content', 'event', '')),
);
const query = fc
  .array(parameter, { maxLength: 4 })
  .map((pairs) => pairs.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join('&'));
const search = filter.map((one) =>
  JSON.stringify({
    search_categories: { room_events: { search_term: 'x', filter: JSON.parse(one) as unknown } },
  }),
);
const body = fc.oneof(
  filter,
  search,
  fc.constantFrom('{}', '{"membership":"join"}', '{"membership":"leave"}', '[]'),
);
const READS = [
  'messages',
  'state',
  'state/m.room.name',
  'members',
  'joined_members',
  'event/$1',
  'context/$1',
];
const plainPath = fc
  .tuple(fc.constantFrom(...ROOMS), fc.constantFrom(...READS))
  .map(([room, below]) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${below}`);
const plain = fc.record({
  method: fc.constant('GET'),
  path: fc.oneof(plainPath, fc.constant('/_matrix/client/v3/sync')),
  query: fc.constant(''),
  body: fc.constant('{}'),
});
const wild = fc.record({ method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'), path, query, body });
const request = fc.oneof(plain, { weight: 3, arbitrary: wild });
const scope = fc.subarray(ROOMS.slice(0, 3), { minLength: 0 });

/** Every room of the world that a text names, however it is encoded. */
function roomsNamed(text: string): Set<string> {
  const found = new Set<string>();
  let at = text;
  for (let depth = 0; depth < 4; depth++) {
    // What still has an escape in it is looked at when that is decoded.
    for (const match of at.matchAll(/![A-Za-z0-9:._%-]+/g)) if (!match[0].includes('%')) found.add(match[0]);
    at = at.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) =>
      String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
    );
  }
  return found;
}

/** Without what stands below a room: a state key or an event id may be spelled like a room and be none. */
const withoutKeys = (url: string) =>
  url.replace(/(\/rooms\/[^/?]*\/(?:state|event|context|relations)\/)[^?]*/, '$1');

const router = createRouter(CATALOGUE);

test('whatever is asked, what would be asked of the homeserver names no room outside the scope', () => {
  let forwarded = 0;
  fc.assert(
    fc.property(scope, request, (rooms, { method, path, query, body }) => {
      const target = parseTarget(`${path}?${query}`);
      if ('status' in target) return;
      const route = router(method, target.segments);
      if (route === null) return;
      const { endpoint, params } = route;
      if (endpoint.kind === 'refused' || endpoint.kind === 'static' || endpoint.kind === 'public') return;
      const parsed = parseJson(body);
      if (isResponse(parsed)) return;
      const access = accessOf(rooms);
      const plan = planFor(endpoint, {
        params,
        query: target.query.values,
        body: parsed.value,
        access,
        now: 0,
      });
      const asked =
        plan.kind === 'forward'
          ? plan.request
          : plan.kind === 'task' && plan.task.kind === 'poll'
            ? upstreamSyncRequest(plan.task.poll, plan.task.poll.since, 0, true)
            : null;
      if (asked === null) return;
      forwarded++;
      expect(asked.method).toBe('GET');
      const written = [withoutKeys(asked.path), ...asked.query.flat()].join(' ');
      for (const room of roomsNamed(written)) expect([...access.rooms]).toContain(room);
      expect(decodeURIComponent(asked.path)).not.toMatch(/\/\.{1,2}(?:\/|$)|\/\//);
    }),
    { numRuns: 20_000 },
  );
  expect(forwarded).toBeGreaterThan(2_000);
});

test('over real sockets too: nothing outside the scope reaches the homeserver or comes back', async () => {
  const rooms = ROOMS.slice(0, 2);
  await using s = await stage({ rooms, limits: { upstreamTimeoutMs: 2_000 } });
  const events = ROOMS.map((room) => ({
    type: 'm.room.message',
    event_id: '$1',
    sender: '@bob:hs.test',
    content: { in: room },
    room_id: room,
  }));
  const joined = Object.fromEntries(
    ROOMS.map((room) => [room, { timeline: { events: events.filter((event) => event.room_id === room) } }]),
  );
  s.homeserver.answer(({ path }) => {
    if (path.endsWith('/sync'))
      return { next_batch: 's1', rooms: { join: joined, invite: joined, leave: joined, knock: joined } };
    if (path.endsWith('/joined_rooms')) return { joined_rooms: ROOMS };
    if (path.endsWith('/state')) return events;
    if (/\/state\//.test(path)) return { membership: 'leave', name: 'x' };
    if (/\/(?:event)\//.test(path)) return events[3];
    if (path.endsWith('/versions')) return { versions: [] };
    if (path.endsWith('/search'))
      return {
        search_categories: { room_events: { results: events.map((result) => ({ result })), count: 6 } },
      };
    if (path.endsWith('/hierarchy'))
      return {
        rooms: ROOMS.map((room_id) => ({
          room_id,
          children_state: ROOMS.map((key) => ({ type: 'm.space.child', state_key: key, content: {} })),
        })),
      };
    if (path.includes('/room_summary/')) return { room_id: rooms[0], allowed_room_ids: ROOMS };
    if (path.includes('/directory/room/')) return { room_id: ROOMS[3], servers: [] };
    if (path.endsWith('/aliases')) return { aliases: [] };
    return {
      chunk: events,
      event: events[3],
      events_before: events,
      events_after: events,
      state: events,
      joined: {},
    };
  });
  let forwarded = 0;
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, body }) => {
      if (/logout/.test(path) || !path.startsWith('/') || /timeout=\d{2}/.test(query)) return;
      s.homeserver.seen.length = 0;
      const got = await s.ask(method, `${path}?${query}`, method === 'GET' ? {} : { body });
      expect([200, 400, 403, 404, 405]).toContain(got.status);
      forwarded += s.homeserver.seen.length;
      for (const seen of s.homeserver.seen) {
        // A search alone is asked with POST; the rooms it names as unwanted are meant to be outside.
        if (seen.path.endsWith('/search')) {
          const asked = JSON.parse(seen.body) as {
            search_categories: { room_events: { filter: { rooms: string[] } } };
          };
          for (const room of asked.search_categories.room_events.filter.rooms) expect(rooms).toContain(room);
        } else expect(seen.method).toBe('GET');
        for (const room of roomsNamed(withoutKeys(seen.url))) expect(rooms).toContain(room);
      }
      // A stored filter is the holder's own words; everything else names only what is in scope.
      if (/\/filter/.test(path)) return;
      for (const room of roomsNamed(JSON.stringify(got.body))) expect(rooms).toContain(room);
    }),
    { numRuns: 2_000 },
  );
  expect(forwarded).toBeGreaterThan(150);
}, 60_000);
