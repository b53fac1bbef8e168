import { describe, expect, test } from 'vitest';
import type { GrantId, RoomId } from '../../../src/domain/ids.ts';
import type { Permission } from '../../../src/domain/permission.ts';
import { ALICE, DEV, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// Which rooms are in a scope of all rooms is kept in memory for half a minute. Where the subject has left a room
// since, the homeserver itself lets them back into a public one, and shows what is said in a world-readable one. And
// a room that was made since is refused.

const V3 = '/_matrix/client/v3';
const GRANT = '7F3K9Q' as GrantId;
const NEW = '!new:hs.test' as RoomId;
const at = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
const OWN = (room: string) => at(room, `state/m.room.member/${ALICE}`);
const CAN: readonly Permission[] = ['read', 'join', 'knock', 'leave'];

/** A scope of all rooms, last looked up when the subject was in OPS and DEV; where they are by now. */
async function later(
  now: readonly RoomId[],
  options: { can?: readonly Permission[]; rooms?: 'all' | readonly RoomId[] } = {},
): Promise<Stage & { asked: (what: string) => number }> {
  const { can = CAN, rooms = 'all' } = options;
  const s = await stage({
    rooms,
    joined: [OPS, DEV],
    grant: { scope: { v: 1, rooms, can } },
    limits: { writesAtOnce: 1_000 },
  });
  s.desk.join(GRANT, now);
  s.homeserver.answer(({ method, path }, response) => {
    if (path.endsWith('/joined_rooms')) return { joined_rooms: now };
    // A homeserver that lets anybody in, and shows everything to anybody.
    if (method !== 'GET')
      return { room_id: decodeURIComponent(/rooms\/([^/]+)/.exec(path)?.[1] ?? ''), event_id: '$e' };
    if (!path.includes('m.room.member')) return { chunk: [], start: 's' };
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}');
    return undefined;
  });
  const asked = (what: string) => s.homeserver.seen.filter(({ url }) => url.includes(what)).length;
  return Object.assign(s, { asked });
}

describe('a room that was left', () => {
  test.each([
    ['messages', 'messages?dir=b'],
    ['state', 'state'],
    ['one event', 'event/$e'],
    ['members', 'members'],
    ['its summary', 'hierarchy'],
  ])('is not read any more: %s', async (_, below) => {
    await using s = await later([DEV]);
    expect((await s.ask('GET', at(OPS, below))).status).toBe(403);
    expect(s.homeserver.seen.map(({ path }) => path)).toEqual([`${V3}/joined_rooms`]);
  });

  test.each<[string, string, string, object]>([
    ['POST', at(OPS, 'join'), 'a join', {}],
    ['POST', `${V3}/join/${OPS}`, 'a join, otherwise', {}],
    ['PUT', OWN(OPS), 'a join as state', { membership: 'join' }],
    ['POST', `${V3}/knock/${OPS}`, 'a knock', {}],
    ['POST', at(OPS, 'forget'), 'forgetting it', {}],
  ])('%s %s: %s changes nothing', async (method, path, _, body) => {
    await using s = await later([DEV]);
    expect((await s.ask(method, path, { body: JSON.stringify(body) })).status).toBe(403);
    expect(s.homeserver.seen.filter((one) => one.method !== 'GET')).toEqual([]);
  });

  test('is not read where the homeserver does not say where the subject is', async () => {
    for (const status of [403, 404, 429, 500]) {
      await using s = await later([OPS]);
      s.homeserver.answer((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end('{"errcode":"M_UNKNOWN"}');
      });
      const got = await s.ask('GET', at(OPS, 'messages'));
      expect(got.status).toBeGreaterThanOrEqual(403);
      expect(s.asked('messages')).toBe(0);
    }
  });
});

test('reading one room tells that another was left', async () => {
  await using s = await later([OPS]);
  expect((await s.ask('GET', at(OPS, 'members'))).status).toBe(200);
  await expect.poll(() => s.desk.refreshes).toBe(1);
  expect((await s.ask('GET', at(DEV, 'members'))).status).toBe(403);
  expect(s.asked(encodeURIComponent(DEV))).toBe(0);
});

test('where the subject still is, it is asked once for many reads, and not again within the second', async () => {
  await using s = await later([OPS, DEV]);
  const reads = Array.from({ length: 20 }, (_, index) =>
    s.ask('GET', at(index % 2 === 0 ? OPS : DEV, 'members')),
  );
  for (const { status } of await Promise.all(reads)) expect(status).toBe(200);
  expect((await s.ask('GET', at(OPS, 'state'))).status).toBeLessThan(600);
  expect([s.asked('joined_rooms'), s.asked('members'), s.desk.refreshes]).toEqual([1, 20, 0]);
});

test('one who goes away while it is asked takes no answer from the others', async () => {
  await using s = await later([OPS]);
  const answered = Promise.withResolvers<void>();
  s.homeserver.answer(({ path }, response) => {
    if (!path.endsWith('/joined_rooms')) return { chunk: [] };
    void answered.promise.then(() =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ joined_rooms: [OPS] })),
    );
    return undefined;
  });
  const leaving = new AbortController();
  const first = s.ask('GET', at(OPS, 'members'), { signal: leaving.signal }).catch(() => null);
  await expect.poll(() => s.asked('joined_rooms')).toBe(1);
  const second = s.ask('GET', at(OPS, 'members'));
  leaving.abort();
  await first;
  answered.resolve();
  expect((await second).status).toBe(200);
});

describe('a room that came since', () => {
  test('is looked up before it is refused, read, and joined where the subject is in it', async () => {
    await using s = await later([OPS, NEW]);
    expect((await s.ask('GET', at(NEW, 'members'))).status).toBe(200);
    expect(s.desk.refreshes).toBe(1);
    expect((await s.ask('POST', at(NEW, 'join'), { body: '{}' })).status).toBe(200);
  });

  test('does not let a holder have the rooms looked up without end', async () => {
    await using s = await later([OPS]);
    for (let guess = 0; guess < 40; guess++)
      expect((await s.ask('GET', at(`!guess${guess}:hs.test`, 'members'))).status).toBe(403);
    expect(s.desk.refreshes).toBeLessThanOrEqual(12);
    expect(s.asked('guess')).toBe(0);
  });

  test('is not looked up for what is refused anyway, and the refusal is the same', async () => {
    await using s = await later([OPS, NEW], { can: ['send:m.room.message'] });
    for (const room of [NEW, SECRET]) {
      const got = await s.ask('GET', at(room, 'members'));
      expect([got.status, got.body['error']]).toEqual([403, 'This token does not hold the capability read.']);
    }
    expect([s.desk.refreshes, s.homeserver.seen.length]).toEqual([0, 0]);
  });
});

test('a scope that names its rooms is not looked up at all', async () => {
  await using s = await later([], { rooms: [OPS] });
  expect((await s.ask('GET', at(OPS, 'members'))).status).toBe(200);
  expect((await s.ask('GET', at(SECRET, 'members'))).status).toBe(403);
  expect((await s.ask('POST', at(OPS, 'join'), { body: '{}' })).status).toBe(200);
  expect([s.asked('joined_rooms'), s.desk.refreshes]).toEqual([0, 0]);
});
