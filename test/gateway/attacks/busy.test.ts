import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import { memoryPlan } from '../../../src/gateway/limits/memory-plan.ts';
import { introspection } from '../../../src/gateway/explain/introspection.ts';
import {
  parseSlidingSyncRequest,
  type SlidingSyncRequest,
} from '../../../src/gateway/sliding-sync/request.ts';
import { slidingRequest } from '../../../src/gateway/sliding-sync/upstream.ts';
import { ALICE, grantOf, OPS, SECRET } from '../support/grants.ts';
import { stage } from '../support/stage.ts';

// What one holder can ask for cheaply must not keep the gateway's one thread from the others.

/** How long this thread has run: what else the machine does meanwhile does not count. */
const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

describe('a holder of many capabilities', () => {
  test('is told of them without the others waiting', () => {
    const many = Array.from(
      { length: 100 },
      (_, at): Permission => `state:org.example.t${at}:@u${at}:hs.test`,
    );
    const types = ['org.example.*'];
    const grant = grantOf([OPS], { scope: { v: 1, rooms: [OPS], can: ['read', ...many], types } });
    const ask = (): number => {
      const begun = threadMs();
      const { endpoints } = introspection({ grant, rooms: new Set([OPS]) }, '', null, Date.now());
      expect(endpoints.map(({ operation }) => operation)).toContain('setRoomStateWithKey');
      return threadMs() - begun;
    };
    // All types with all keys took seconds.
    expect(ask()).toBeLessThan(500);
    expect(ask()).toBeLessThan(10);
  });
});

describe('a holder of many lists', () => {
  const list = (words: number, at: number) => ({
    ranges: [[0, 99_999]],
    required_state: Array.from({ length: words }, (_, word) => [`t${at}.${word}`, '']),
  });
  const bodyOf = (lists: number, words: number) => ({
    lists: Object.fromEntries(Array.from({ length: lists }, (_, at) => [`l${at}`, list(words, at)])),
  });
  const parsed = (body: unknown) =>
    parseSlidingSyncRequest({
      params: {},
      query: new Map(),
      body,
      access: { grant: grantOf([OPS]), rooms: new Set([OPS]) },
      now: 0,
    });

  test('has as much state for every room as one list may name, and no more', () => {
    expect(parsed(bodyOf(20, 200))).toMatchObject({ status: 400 });
    expect(parsed(bodyOf(20, 11))).toMatchObject({ status: 400 });
    expect(parsed(bodyOf(20, 10))).not.toHaveProperty('status');
  });

  test('does not have the others wait while that is put together for thousands of rooms', () => {
    const sliding = parsed(bodyOf(20, 10)) as SlidingSyncRequest;
    const rooms = new Set(Array.from({ length: 3_000 }, (_, at) => `!r${at}:hs.test` as RoomId));
    const begun = threadMs();
    const { body } = slidingRequest(sliding, grantOf([OPS]), rooms, null, 0);
    expect(threadMs() - begun).toBeLessThan(400);
    const asked = Object.values(
      body?.['room_subscriptions'] as Record<string, { required_state: unknown[] }>,
    );
    expect(asked.map(({ required_state: state }) => state.length)).toEqual(
      Array.from({ length: 3_000 }, () => 200),
    );
  });
});

describe('a holder of large requests', () => {
  const wide = JSON.stringify(
    Object.fromEntries(Array.from({ length: 15_000 }, (_, at) => [`key${at}`, at])),
  );
  const path = `/_matrix/client/v3/user/${encodeURIComponent(ALICE)}/filter`;

  test('may send as many fewer of them as they take longer to read', async () => {
    expect(wide.length).toBeGreaterThan(200_000);
    expect(wide.length).toBeLessThan(262_144);
    await using s = await stage({ limits: { requestsPerSecond: 1, requestsAtOnce: 100 } });
    let sent = 0;
    while ((await s.ask('POST', path, { body: wide })).status !== 429) expect(++sent).toBeLessThan(20);
    // Each of them counts as more than twelve.
    expect(sent).toBeLessThan(9);
    await using other = await stage({ limits: { requestsPerSecond: 1, requestsAtOnce: 100 } });
    for (let at = 0; at < 90; at++)
      expect((await other.ask('POST', path, { body: '{"room":{}}' })).status).toBe(200);
  });

  test('finds no second spelling of a key by it', async () => {
    await using s = await stage();
    for (const body of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"\\u0061":1,"a":2}',
      '{"\\u0061":1,"\\u0061":2}',
    ]) {
      expect((await s.ask('POST', path, { body })).status).toBe(400);
    }
    expect((await s.ask('POST', path, { body: '{"a":1,"\\\\u0061":2}' })).status).toBe(200);
  });
});

describe('a holder of a large answer', () => {
  /** How long everybody else waits at most while something goes on. */
  async function longestWait(during: () => Promise<unknown>): Promise<number> {
    let last = performance.now();
    let longest = 0;
    const look = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 2);
    await during();
    clearInterval(look);
    return longest;
  }
  const event = (at: number, room: string) => ({
    type: 'm.room.message',
    event_id: `$${at}`,
    room_id: room,
    sender: '@a:b',
    content: { body: 'word' },
  });

  test('does not have the others wait for a search that found as much as it may', async () => {
    await using s = await stage({ limits: memoryPlan(2_147_483_648) });
    const results = Array.from({ length: 150_000 }, (_, at) => ({
      rank: 1,
      result: event(at, at === 7 ? OPS : SECRET),
    }));
    const found = Buffer.from(
      JSON.stringify({ search_categories: { room_events: { count: 1, results, highlights: ['word'] } } }),
    );
    expect(found.length).toBeGreaterThan(15_000_000);
    s.homeserver.answer(({ path }, response) => {
      if (path.endsWith('/joined_rooms')) return { joined_rooms: [OPS, SECRET] };
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(found);
    });
    const body = JSON.stringify({ search_categories: { room_events: { search_term: 'word' } } });
    const search = () => s.ask('POST', '/_matrix/client/v3/search', { body });
    // The thread starts with the first.
    expect(JSON.stringify((await search()).body)).toContain('"$7"');
    const waited = await longestWait(async () => {
      const { status, body: told } = await search();
      expect(status).toBe(200);
      expect(JSON.stringify(told)).not.toContain(SECRET);
    });
    // Some 250 ms where it was read in place; what is left is this test's own homeserver.
    expect(waited).toBeLessThan(180);
  });

  test('has it refused where it would be far larger when read in place', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(({ path }) =>
      path.endsWith('/hierarchy')
        ? { rooms: [{ room_id: OPS, children_state: [], pad: Array.from({ length: 300_000 }, () => ({})) }] }
        : {},
    );
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(OPS)}/hierarchy`;
    expect(await s.ask('GET', path)).toMatchObject({ status: 502 });
  });

  test.each([
    ['GET', `/_matrix/client/v1/rooms/${encodeURIComponent(OPS)}/hierarchy`],
    ['GET', '/_matrix/client/v3/notifications'],
    ['POST', '/_matrix/client/v3/publicRooms'],
    ['GET', '/_matrix/client/v3/pushrules/'],
  ])('has it refused where it is read in place: %s %s', async (method, path) => {
    const can: Permission[] = ['read', 'notifications', 'directory', 'push-rules'];
    await using s = await stage({ grant: { scope: { ...grantOf([OPS]).scope, can } } });
    s.homeserver.answer(() => ({
      rooms: [],
      notifications: [],
      chunk: [],
      global: {},
      more: 'x'.repeat(3_000_000),
    }));
    expect((await s.ask(method, path, method === 'POST' ? { body: '{}' } : {})).status).toBe(502);
  });
});
