import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { Scope } from '../../src/domain/scope.ts';
import type { Gateway } from '../../src/gateway/server.ts';
import { grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { startTestGateway } from '../gateway/support/test-gateway.ts';
import { V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { crowdedWorld, ROOM_NAMES, type RoomName, WORD, type World } from './support/crowded-world.ts';
import { isPending, realTime } from '../support/wait.ts';

// Each read is made twice, with the upstream token itself and with scoped tokens before the gateway. What the
// scoped one gets is what the other gets, less what is outside; and nothing of it names anything outside.

const V1 = '/_matrix/client/v1';
const SCOPES = {
  one: ['ops'],
  two: ['ops', 'newer'],
  spaced: ['space', 'ops', 'deep'],
  waiting: ['dev', 'invited', 'knocked', 'left'],
  most: ['ops', 'dev', 'space', 'subspace', 'deep', 'newer', 'sealed'],
} as const satisfies Record<string, readonly RoomName[]>;
type ScopeName = keyof typeof SCOPES;
const SCOPE_NAMES = Object.keys(SCOPES) as ScopeName[];

/** A token that reads these types alone, in the rooms of the last scope. */
const TYPES = ['m.room.message', 'm.space.child'];
const BY_TYPE = 'mwt_7F3K9T_types';

let world: World;
let gateway: Gateway;
const tokenOf = (scope: ScopeName) => `mwt_7F3K9Q_${scope}`;
const inScope = (scope: ScopeName, name: RoomName) => (SCOPES[scope] as readonly RoomName[]).includes(name);
const idsOf = (scope: ScopeName) => SCOPES[scope].map((name): string => world.rooms[name].id);

beforeAll(async () => {
  const synapse = sharedSynapse();
  world = await crowdedWorld(synapse);
  const desk = grantDesk(world.upstream);
  for (const [at, scope] of SCOPE_NAMES.entries()) {
    const rooms = idsOf(scope) as RoomId[];
    // The last is a scope of all rooms, with some outside every scope.
    const grant = grantOf(scope === 'most' ? 'all' : rooms, {
      id: `7F3K9${at}` as GrantId,
      subject: world.alice.userId,
    });
    desk.add(tokenOf(scope), { grant, rooms: new Set(rooms) });
  }
  const everywhere = SCOPES.most.map((name): RoomId => world.rooms[name].id);
  const scope: Scope = { v: 1, rooms: everywhere, can: TYPES.map((type): Permission => `read:${type}`) };
  desk.add(BY_TYPE, {
    grant: grantOf(everywhere, { id: '7F3K9T' as GrantId, subject: world.alice.userId, scope }),
    rooms: new Set(everywhere),
  });
  gateway = await startTestGateway({
    homeserverUrl: synapse.baseUrl,
    accessControl: desk,
    limits: { requestsPerSecond: 1e6, requestsAtOnce: 1e6 },
  });
});
afterAll(() => gateway.close());

type Json = Record<string, unknown>;
type Got = { readonly status: number; readonly body: unknown };

async function ask(base: string, token: string, method: string, path: string, body?: unknown): Promise<Got> {
  for (;;) {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said: unknown = await response.json();
    if (response.status !== 429) return { status: response.status, body: said };
    // Synapse's limit on hierarchies cannot be configured.
    await realTime(250);
  }
}
const whole = (method: string, path: string, body?: unknown) =>
  ask(sharedSynapse().baseUrl, world.upstream, method, path, body);
const scoped = (scope: ScopeName, method: string, path: string, body?: unknown) =>
  ask(`http://127.0.0.1:${gateway.port}`, tokenOf(scope), method, path, body);

/** Everything that stands for what is outside a scope. */
function outside(scope: ScopeName): string[] {
  const secrets = ROOM_NAMES.filter((name) => !inScope(scope, name)).flatMap(
    (name) => world.rooms[name].secrets,
  );
  const met = SCOPES[scope].some((name) =>
    ['subspace', 'deep', 'sealed', 'invited', 'knocked', 'left'].includes(name),
  );
  return met ? secrets : [...secrets, world.carol.userId, `Carol-${world.alice.localpart}`];
}

/**
 * Where the state of a room in scope names another room, as every member of it sees: only there may an id
 * from outside stand.
 */
function withoutPointers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPointers);
  if (typeof value !== 'object' || value === null) return value;
  // The content of a create event alone.
  if ('room_version' in value && 'predecessor' in value) return { ...value, predecessor: null };
  const { type, state_key: key, content, ...rest } = value as Json & { content?: Json };
  const shown = Object.fromEntries(
    Object.entries(rest).map(([name, inner]) => [name, withoutPointers(inner)]),
  );
  if (type === 'm.space.child') return shown;
  const { predecessor: _, allow: __, replacement_room: ___, ...left } = content ?? {};
  const named = ['m.room.create', 'm.room.join_rules', 'm.room.tombstone'].includes(type as string);
  return { ...shown, type, state_key: key, content: named ? left : withoutPointers(content) };
}

function expectNothingOutside(scope: ScopeName, got: Got, pointers: boolean): void {
  const text = JSON.stringify(pointers ? withoutPointers(got.body) : got.body);
  for (const secret of outside(scope))
    expect(text.includes(secret), `${secret} in ${text.slice(0, 300)}`).toBe(false);
}

/**
 * An answer without what the gateway leaves out on purpose, what changes by the clock, and what differs by
 * the asking.
 */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const gone = [
    'age',
    'user_id',
    'transaction_id',
    'start',
    'end',
    'next_batch',
    'prev_batch',
    'msc4354_sticky_duration_ttl_ms',
  ];
  const legacy = 'unsigned' in value ? [...gone, 'redacted_because'] : gone;
  const entries = Object.entries(value).filter(([key, inner]) => !legacy.includes(key) && inner !== null);
  // An empty `unsigned` says nothing.
  return Object.fromEntries(
    entries
      .map(([key, inner]) => [key, plain(inner)] as const)
      .filter(([key, inner]) => key !== 'unsigned' || JSON.stringify(inner) !== '{}'),
  );
}

const below = (name: RoomName, path: string, version = V3) =>
  `${version}/rooms/${encodeURIComponent(world.rooms[name].id)}/${path}`;
const root = (name: RoomName) => encodeURIComponent(world.rooms[name].root);

const PARTS = [
  'timeline',
  'state',
  'state_after',
  'org.matrix.msc4222.state_after',
  'invite_state',
  'knock_state',
];
const without = (one: Json, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(one).filter(([key]) => !keys.includes(key)));
/** An answer whose state comes in any order. */
const unordered = (body: unknown): unknown => {
  if (Array.isArray(body)) return sorted(body.map(plain));
  const given = plain(body) as Json;
  return Array.isArray(given['state']) ? { ...given, state: sorted(given['state']) } : given;
};

const READS: readonly (readonly [string, (name: RoomName) => string])[] = [
  ['messages', (name) => below(name, 'messages?dir=b&limit=100')],
  [
    'messages, forward, members lazily',
    (name) =>
      below(name, `messages?dir=f&limit=5&filter=${encodeURIComponent('{"lazy_load_members":true}')}`),
  ],
  ['state', (name) => below(name, 'state')],
  ['state by type', (name) => below(name, 'state/m.room.create')],
  ['state by type, as an event', (name) => below(name, 'state/m.room.name?format=event')],
  [
    'state by type and key',
    (name) => below(name, `state/m.room.member/${encodeURIComponent(world.alice.userId)}`),
  ],
  ['members', (name) => below(name, 'members')],
  ['members, not those who left', (name) => below(name, 'members?not_membership=leave')],
  ['members who joined', (name) => below(name, 'members?membership=join')],
  ['joined members', (name) => below(name, 'joined_members')],
  ['an event', (name) => below(name, `event/${root(name)}`)],
  ['context', (name) => below(name, `context/${root(name)}?limit=6`)],
  ['relations', (name) => below(name, `relations/${root(name)}`, V1)],
  ['relations, recursively', (name) => below(name, `relations/${root(name)}?recurse=true&dir=f`, V1)],
  ['relations of a kind', (name) => below(name, `relations/${root(name)}/m.thread`, V1)],
  [
    'relations of a kind and type',
    (name) => below(name, `relations/${root(name)}/m.annotation/m.reaction`, V1),
  ],
  ['threads', (name) => below(name, 'threads', V1)],
  ['threads one is in', (name) => below(name, 'threads?include=participated&limit=5', V1)],
  ['the event of a moment', (name) => below(name, 'timestamp_to_event?ts=0&dir=f', V1)],
  ['aliases', (name) => below(name, 'aliases')],
  ['visibility', (name) => `${V3}/directory/list/room/${encodeURIComponent(world.rooms[name].id)}`],
];

describe.each(SCOPE_NAMES)('a scope of %s', (scope) => {
  test.each(READS)('%s: the same in its rooms, refused in all others', async (_, pathOf) => {
    for (const name of ROOM_NAMES) {
      const path = pathOf(name);
      const got = await scoped(scope, 'GET', path);
      expectNothingOutside(scope, got, true);
      if (!inScope(scope, name)) {
        expect([name, got]).toEqual([
          name,
          { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'This token does not allow that.' } },
        ]);
        continue;
      }
      const expected = await whole('GET', path);
      if (expected.status === 200)
        expect([name, unordered(got.body)]).toEqual([name, unordered(expected.body)]);
      else expect([name, [403, 404].includes(got.status)]).toEqual([name, true]);
    }
  });

  test('an event from outside, named in a room of its own, is not there', async () => {
    for (const name of ROOM_NAMES.filter((one) => !inScope(scope, one))) {
      const own = SCOPES[scope][0];
      for (const path of [
        below(own, `event/${root(name)}`),
        below(own, `context/${root(name)}`),
        below(own, `relations/${root(name)}`, V1),
      ]) {
        const got = await scoped(scope, 'GET', path);
        expectNothingOutside(scope, got, true);
        expect([name, got.status, (got.body as Json)['event'] ?? null]).toEqual([
          name,
          path.includes('relations') ? got.status : 404,
          null,
        ]);
        if (got.status === 200) expect(got.body).toMatchObject({ chunk: [] });
      }
    }
  });

  test('joined rooms', async () => {
    const [got, expected] = [
      await scoped(scope, 'GET', `${V3}/joined_rooms`),
      await whole('GET', `${V3}/joined_rooms`),
    ];
    const rooms = (answer: Got) => (answer.body as { joined_rooms: string[] }).joined_rooms;
    expect(rooms(got).toSorted()).toEqual(
      rooms(expected)
        .filter((room) => idsOf(scope).includes(room))
        .toSorted(),
    );
  });

  test.each(['', 'full_state=true&', 'org.matrix.msc4222.use_state_after=true&'])('sync?%s', async (more) => {
    const filter = encodeURIComponent(
      JSON.stringify({ room: { include_leave: true, timeline: { limit: 50 } } }),
    );
    const path = `${V3}/sync?${more}filter=${filter}`;
    const [got, expected] = [await scoped(scope, 'GET', path), await whole('GET', path)];
    expectNothingOutside(scope, got, true);
    type Rooms = Record<string, Record<string, Json>>;
    const rooms = (answer: Got) => (answer.body as { rooms: Rooms }).rooms;
    for (const section of ['join', 'invite', 'knock', 'leave']) {
      const there = rooms(expected)[section] ?? {};
      const here = rooms(got)[section] ?? {};
      expect([section, Object.keys(here).toSorted()]).toEqual([
        section,
        Object.keys(there)
          .filter((id) => idsOf(scope).includes(id))
          .toSorted(),
      ]);
      for (const [id, room] of Object.entries(here)) {
        // Synapse loses the create event of rooms of version 12 where rooms are named: it is put back, the
        // timeline begins one later, and what was before it stands in the state too.
        const events = (one: Json | undefined) =>
          unique(
            PARTS.flatMap(
              (part) => (one?.[part] as { events?: { type: string }[] } | undefined)?.events ?? [],
            )
              .filter((event) => section !== 'leave' || event.type !== 'm.room.create')
              .map((event) => without(plain(event) as Json, ['room_id', 'unsigned'])),
          );
        expect([section, id, events(room)]).toEqual([section, id, events(there[id])]);
        expect(JSON.stringify(room)).not.toMatch(/"notification_count"|m\.tag|m\.receipt/);
      }
    }
    expect(Object.keys(got.body as Json)).toEqual(['next_batch', 'rooms']);
  });

  test.each([
    {},
    { filter: 'predecessor' },
    {
      order_by: 'recent',
      groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
      include_state: true,
      event_context: { before_limit: 2, after_limit: 2, include_profile: true },
    },
  ])('search %o', async (more) => {
    // Naming the newer room makes Synapse search the older one too.
    const filter = 'filter' in more ? { limit: 50, rooms: [world.rooms.newer.id] } : { limit: 50 };
    const body = {
      search_categories: { room_events: { search_term: WORD, keys: ['content.body'], ...more, filter } },
    };
    const [got, expected] = [
      await scoped(scope, 'POST', `${V3}/search`, body),
      await whole('POST', `${V3}/search`, body),
    ];
    expect([got.status, expected.status]).toEqual([200, 200]);
    expectNothingOutside(scope, got, true);
    type Events = {
      count: number;
      results: { result: { room_id: string; event_id: string } }[];
      state?: Json;
      groups?: { room_id: Json };
    };
    const events = (answer: Got) =>
      (answer.body as { search_categories: { room_events: Events } }).search_categories.room_events;
    const ids = (list: Events['results']) => list.map(({ result }) => result.event_id).toSorted();
    const within = events(expected).results.filter(({ result }) => idsOf(scope).includes(result.room_id));
    expect(ids(events(got).results)).toEqual(ids(within));
    expect(events(got).count).toBe(within.length);
    for (const room of Object.keys({ ...events(got).state, ...events(got).groups?.room_id }))
      expect(idsOf(scope)).toContain(room);
    if (scope === 'two' && 'filter' in more)
      expect(events(expected).results.length).toBeGreaterThan(within.length);
  });

  test.each(['', '?suggested_only=true', '?max_depth=1&limit=1'])('hierarchy%s', async (query) => {
    for (const name of ['space', 'subspace'] as const) {
      const got = await scoped(scope, 'GET', below(name, `hierarchy${query}`, V1));
      expectNothingOutside(scope, got, false);
      if (!inScope(scope, name)) {
        expect(got.status).toBe(403);
        continue;
      }
      type Room = Json & {
        room_id: string;
        children_state: { state_key: string }[];
        allowed_room_ids?: string[];
      };
      const mine = got.body as { rooms: Room[]; next_batch?: string };
      const rooms = [...mine.rooms];
      for (let next = mine.next_batch; next !== undefined;) {
        const page = (await scoped(scope, 'GET', below(name, `hierarchy${query}&from=${next}`, V1)))
          .body as typeof mine;
        expect(page.rooms.length).toBe(1);
        rooms.push(...page.rooms);
        next = page.next_batch;
      }
      const all = (await whole('GET', below(name, `hierarchy${query.replace('&limit=1', '')}`, V1))).body as {
        rooms: Room[];
      };
      // What is reached only through a space outside is not shown.
      const unreached = scope === 'spaced' ? [world.rooms.deep.id as string] : [];
      const ids = idsOf(scope).filter((id) => !unreached.includes(id));
      const expected = all.rooms
        .filter((room) => ids.includes(room.room_id))
        .map((room) => ({
          ...room,
          children_state: room.children_state.filter((child) => idsOf(scope).includes(child.state_key)),
          ...(room.allowed_room_ids === undefined
            ? {}
            : { allowed_room_ids: room.allowed_room_ids.filter((id) => idsOf(scope).includes(id)) }),
        }));
      expect(plain(rooms)).toEqual(plain(expected));
    }
  });

  test('a room in short, and where its name leads', async () => {
    for (const name of ROOM_NAMES) {
      const { id, secrets } = world.rooms[name];
      const summary = await scoped(scope, 'GET', `${V1}/room_summary/${encodeURIComponent(id)}`);
      const alias = secrets.find((one) => one.startsWith('alias-'));
      const target = `${V3}/directory/room/${encodeURIComponent(`#${alias ?? 'alias-none'}:${sharedSynapse().serverName}`)}`;
      const led = await scoped(scope, 'GET', target);
      expectNothingOutside(scope, summary, false);
      expectNothingOutside(scope, led, false);
      if (!inScope(scope, name)) {
        // The predecessor's name leads to its successor by now.
        expect([name, summary.status, led.status]).toEqual([name, 403, 404]);
        expect(led.body).toEqual({ errcode: 'M_NOT_FOUND', error: 'It was not found.' });
        continue;
      }
      const expected = await whole('GET', `${V1}/room_summary/${encodeURIComponent(id)}`);
      const allowed = (expected.body as { allowed_room_ids?: string[] }).allowed_room_ids;
      const cut =
        allowed === undefined
          ? {}
          : { allowed_room_ids: allowed.filter((room) => idsOf(scope).includes(room)) };
      if (expected.status === 200)
        expect(plain(summary.body)).toEqual(plain({ ...(expected.body as Json), ...cut }));
      if (alias !== undefined) expect(led).toEqual(await whole('GET', target));
    }
  });

  test('everything else tells nothing of outside, and what it refuses it refuses by name', async () => {
    const me = `${V3}/user/${encodeURIComponent(world.alice.userId)}`;
    const secret = encodeURIComponent(world.rooms.secret.id);
    const carol = encodeURIComponent(world.carol.userId);
    const paths = [
      [`${V3}/notifications`, 403],
      [`${me}/rooms/${secret}/tags`, 403],
      [`${me}/account_data/m.direct`, 404],
      [`${me}/rooms/${secret}/account_data/org.example`, 404],
      [`${V3}/publicRooms`, 403],
      [`${V3}/pushrules/`, 200],
      [`${V3}/devices`, 200],
      [`${V3}/presence/${carol}/status`, 403],
      [`${V3}/initialSync`, 404],
      [`${V3}/events`, 404],
      [below('secret', 'initialSync'), 404],
      [below('ops', 'initialSync'), 404],
      [`${V3}/events/${root('secret')}`, 404],
      [`${V1}/mutual_rooms?user_id=${carol}`, 404],
      [`${V3}/capabilities`, 200],
      ['/_matrix/client/versions', 200],
      [`${V3}/account/whoami`, 200],
      [`${V3}/thirdparty/protocols`, 404],
      [`${V1}/media/config`, 200],
      ['/_mintwarden/v1/token', 200],
    ] as const;
    for (const [path, status] of paths) {
      const got = await scoped(scope, 'GET', path);
      expect([path, got.status]).toEqual([path, status]);
      expectNothingOutside(scope, got, false);
    }
  });
});

// Reading by type: what the same reads answer is what they answer without a scope, less every event of
// another type, wherever it stands.

const byType = (method: string, path: string, body?: unknown) =>
  ask(`http://127.0.0.1:${gateway.port}`, BY_TYPE, method, path, body);

type Event = Json & { type: string; event_id: string; sender: string };
const isEvent = (value: unknown): value is Event =>
  typeof value === 'object' && value !== null && 'type' in value && 'sender' in value && 'content' in value;

/** An answer without the events of other types, and without what speaks of them. */
function ofTypes(value: unknown): unknown {
  if (Array.isArray(value))
    return value.filter((one) => !isEvent(one) || TYPES.includes(one.type)).map(ofTypes);
  if (typeof value !== 'object' || value === null) return value;
  const shown: Json = {};
  for (const [key, inner] of Object.entries(value)) {
    // Ids alone, of events of any type.
    if (key === 'redacted_by' || key === 'm.reference' || key === 'm.annotation') continue;
    if (isEvent(inner) && !TYPES.includes(inner.type)) continue;
    shown[key] = key === 'content' ? inner : ofTypes(inner);
  }
  const thread = shown['m.thread'];
  if (thread !== undefined && !isEvent((thread as Json)['latest_event'])) delete shown['m.thread'];
  return shown;
}

describe('a scope of two types', () => {
  const canaries = new Set<string>();
  const rooms = () => SCOPES.most.map((name) => [name, world.rooms[name]] as const);
  beforeAll(async () => {
    for (const [name] of rooms()) {
      const page = (await whole('GET', below(name, 'messages?dir=b&limit=1000'))).body as { chunk: Event[] };
      const now = (await whole('GET', below(name, 'state'))).body as Event[];
      for (const event of [...page.chunk, ...now])
        if (!TYPES.includes(event.type)) canaries.add(event.event_id).add(`"${event.type}"`);
    }
    for (const secret of rooms().flatMap(([, room]) => room.secrets))
      if (/^(?:Name|Topic|alias|key|reason)-/.test(secret)) canaries.add(secret);
    canaries.add(`Carol-${world.alice.localpart}`);
    expect(canaries.size).toBeGreaterThan(60);
  });

  function expectNoneOfOthers(got: Got): void {
    const text = JSON.stringify(got.body);
    for (const canary of canaries)
      expect(text.includes(canary), `${canary} in ${text.slice(0, 300)}`).toBe(false);
  }

  const SHOWN = READS.filter(([name]) =>
    /^(?:messages|state$|an event|context|relations(?!.*type)|threads)/.test(name),
  );

  test.each(SHOWN)('%s: what it is for everyone, less the other types', async (name, pathOf) => {
    for (const [room] of rooms()) {
      const [got, expected] = [await byType('GET', pathOf(room)), await whole('GET', pathOf(room))];
      expectNoneOfOthers(got);
      if (expected.status !== 200) {
        expect([room, [403, 404].includes(got.status)]).toEqual([room, true]);
        continue;
      }
      expect([room, got.status]).toEqual([room, 200]);
      const [mine, theirs] = [plain(got.body), plain(ofTypes(expected.body))] as [Json, Json];
      // The filter counts before the limit: of the nearest five or six there are more of the types that are
      // read.
      if (/context|lazily/.test(name)) {
        expect(mine['event']).toEqual(theirs['event']);
        for (const list of ['chunk', 'events_before', 'events_after'])
          if (theirs[list] !== undefined)
            expect(sorted(mine[list] as unknown[])).toEqual(
              expect.arrayContaining(sorted(theirs[list] as unknown[])),
            );
      } else expect([room, unordered(mine)]).toEqual([room, unordered(theirs)]);
    }
  });

  test('page by page, each message comes once', async () => {
    for (const [room] of rooms()) {
      const all = (await whole('GET', below(room, 'messages?dir=b&limit=1000'))).body as { chunk: Event[] };
      const seen: string[] = [];
      for (let from: string | undefined = ''; from !== undefined;) {
        const got = await byType(
          'GET',
          below(room, `messages?dir=b&limit=2${from === '' ? '' : `&from=${from}`}`),
        );
        expectNoneOfOthers(got);
        const page = got.body as { chunk: Event[]; end?: string };
        seen.push(...page.chunk.map((event) => event.event_id));
        from = page.end;
      }
      expect([room, seen]).toEqual([
        room,
        all.chunk.filter(({ type }) => TYPES.includes(type)).map((event) => event.event_id),
      ]);
    }
  });

  test('an event of another type is not found, and state of one is refused, there or not', async () => {
    for (const [room] of rooms()) {
      const page = (await whole('GET', below(room, 'messages?dir=b&limit=1000'))).body as { chunk: Event[] };
      for (const { event_id: id } of page.chunk.filter(({ type }) => !TYPES.includes(type)).slice(0, 6)) {
        for (const path of ['event', 'context']) {
          const got = await byType('GET', below(room, `${path}/${encodeURIComponent(id)}`));
          expect(got).toEqual({ status: 404, body: { errcode: 'M_NOT_FOUND', error: 'It was not found.' } });
        }
      }
      for (const type of [
        'm.room.name',
        'm.room.create',
        'm.room.encryption',
        'org.none',
        `m.room.member/${encodeURIComponent(world.alice.userId)}`,
      ]) {
        expect(await byType('GET', below(room, `state/${type}`))).toEqual({
          status: 403,
          body: { errcode: 'M_FORBIDDEN', error: 'This token does not allow that.' },
        });
      }
    }
  });

  test.each([
    'members',
    'joined_members',
    'aliases',
    'timestamp_to_event?ts=0&dir=f',
    'hierarchy',
    'relations/$x/m.annotation/m.reaction',
  ])('%s is refused', async (path) => {
    for (const version of [V1, V3]) {
      const got = await byType('GET', below('ops', path, version));
      expect(got).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    }
  });

  test.each(['', 'full_state=true&', 'org.matrix.msc4222.use_state_after=true&'])('sync?%s', async (more) => {
    const path = `${V3}/sync?${more}filter=${encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 100 } } }))}`;
    const [got, expected] = [await byType('GET', path), await whole('GET', path)];
    expectNoneOfOthers(got);
    type Joined = { rooms: { join: Record<string, Record<string, { events?: Event[] }>> } };
    const { join: mine } = (got.body as Joined).rooms;
    const { join: theirs } = (expected.body as Joined).rooms;
    expect(Object.keys(mine).toSorted()).toEqual(idsOf('most').toSorted());
    for (const [id, room] of Object.entries(mine)) {
      const ids = (one: (typeof mine)[string] | undefined) =>
        new Set(
          PARTS.flatMap((part) => one?.[part]?.events ?? [])
            .filter(({ type }) => TYPES.includes(type))
            .map((event) => event.event_id),
        );
      expect([id, ids(room)]).toEqual([id, ids(theirs[id])]);
      expect(room['summary']).toEqual({});
    }
  });

  test('search: messages, and no word of a name or a topic', async () => {
    const body = (term: string, keys: readonly string[]) => ({
      search_categories: {
        room_events: {
          search_term: term,
          ...(keys.length === 0 ? {} : { keys }),
          include_state: true,
          event_context: { before_limit: 3, after_limit: 3, include_profile: true },
          filter: { limit: 50 },
        },
      },
    });
    type Found = { search_categories: { room_events: { results: { result: Event }[]; count?: number } } };
    const events = (answer: Got) => (answer.body as Found).search_categories.room_events;
    const ids = (answer: Got) =>
      events(answer)
        .results.map(({ result }) => result)
        .filter((event) => TYPES.includes(event.type) && idsOf('most').includes(event['room_id'] as string))
        .map((event) => event.event_id)
        .toSorted();
    const [got, expected] = [
      await byType('POST', `${V3}/search`, body(WORD, [])),
      await whole('POST', `${V3}/search`, body(WORD, [])),
    ];
    expectNoneOfOthers(got);
    expect(ids(got)).toEqual(ids(expected));
    expect(ids(got).length).toBeGreaterThan(5);
    const topic = `Topic-of-ops-${world.alice.localpart}`;
    expect(events(await whole('POST', `${V3}/search`, body(topic, []))).results.length).toBeGreaterThan(0);
    for (const keys of [[], ['content.topic'], ['content.topic', 'content.body']]) {
      const none = await byType('POST', `${V3}/search`, body(topic, keys));
      expectNoneOfOthers(none);
      expect(events(none).results).toEqual([]);
      expect(events(none).count ?? 0).toBe(0);
    }
  });

  test('a long-poll sleeps over a reaction and a topic, and wakes for a message', async () => {
    const { next_batch: since } = (await byType('GET', `${V3}/sync`)).body as { next_batch: string };
    const reaction = {
      'm.relates_to': { rel_type: 'm.annotation', event_id: world.rooms.ops.root, key: 'woken' },
    };
    const poll = byType('GET', `${V3}/sync?since=${since}&timeout=20000`);
    await whole('PUT', below('ops', 'send/m.reaction/typed1'), reaction);
    await whole('PUT', below('ops', 'state/m.room.topic/'), { topic: 'woken' });
    // That a poll of a real Synapse goes on sleeping shows in time alone.
    await realTime(1_000);
    expect(await isPending(poll)).toBe(true);
    await whole('PUT', below('ops', 'send/m.room.message/typed2'), {
      msgtype: 'm.text',
      body: 'a message at last',
    });
    const text = JSON.stringify((await poll).body);
    expect(text).toContain('a message at last');
    expect(text).not.toContain('woken');
  });
});

const unique = (list: unknown[]) => [...new Set(sorted(list))];

function sorted(list: unknown[]): string[] {
  return list
    .map((one) =>
      JSON.stringify(one, (_, inner: unknown) =>
        inner !== null && typeof inner === 'object' && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
          : inner,
      ),
    )
    .toSorted();
}
