import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { stage, type Stage } from '../support/stage.ts';
import { inRoom, V3, writingStage } from '../support/writing-room.ts';

// One cheap request of a holder's that becomes many: of the homeserver, of other servers, of people's
// telephones.

const aliasOf = (name: string) => `${V3}/directory/room/${encodeURIComponent(name)}`;

async function reading(can: readonly Permission[], rooms: readonly RoomId[] = [OPS]): Promise<Stage> {
  const s = await stage({ rooms, grant: { scope: { ...grantOf(rooms).scope, can } } });
  s.homeserver.answer(({ path }, response) => {
    if (path.includes('/directory/room/')) return { room_id: OPS, servers: ['x.test'] };
    if (path.endsWith('/publicRooms')) return { chunk: [] };
    return void response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"errcode":"M_NOT_FOUND","error":"x"}');
  });
  return s;
}

/** What so many requests at once came to. */
async function outcomes(
  count: number,
  ask: (at: number) => Promise<{ readonly status: number }>,
): Promise<Record<number, number>> {
  const told = await Promise.all(Array.from({ length: count }, (_, at) => ask(at)));
  return Object.fromEntries(
    [...Map.groupBy(told, ({ status }) => status)].map(([status, all]) => [status, all.length]),
  );
}

describe('other servers', () => {
  test('are not asked for names as often as a reader likes; the own server is', async () => {
    await using s = await reading(['read']);
    expect(await outcomes(40, (at) => s.ask('GET', aliasOf(`#n${at}:server${at}.test`)))).toEqual({
      200: 20,
      429: 20,
    });
    expect(s.homeserver.seen).toHaveLength(20);
    expect(await outcomes(40, (at) => s.ask('GET', aliasOf(`#n${at}:hs.test`)))).toEqual({ 200: 40 });
  });

  test('refuse and lack a name in the same words', async () => {
    await using s = await reading(['read']);
    const told: unknown[] = [];
    for (const [status, errcode] of [
      [404, 'M_NOT_FOUND'],
      [403, 'M_FORBIDDEN'],
      [404, 'M_UNRECOGNIZED'],
    ] as const) {
      s.homeserver.answer(
        (_, response) =>
          void response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify({ errcode, error: 'x' })),
      );
      for (const server of ['hs.test', 'other.test'])
        told.push(await s.ask('GET', aliasOf(`#a:${server}`)).then(({ body }) => body));
    }
    expect(new Set(told.map((body) => JSON.stringify(body))).size).toBe(1);
  });

  test('are not asked for their lists as often as one likes', async () => {
    await using s = await reading(['directory']);
    const list = (at: number) =>
      s.ask(
        at % 2 === 0 ? 'GET' : 'POST',
        `${V3}/publicRooms?server=s${at}.test`,
        at % 2 === 0 ? {} : { body: '{}' },
      );
    expect(await outcomes(40, list)).toEqual({ 200: 20, 429: 20 });
    expect(await outcomes(40, () => s.ask('GET', `${V3}/publicRooms`))).toEqual({ 200: 40 });
  });
});

describe('the homeserver', () => {
  test('is not asked for ever more strangers in every room', async () => {
    const rooms = Array.from({ length: 10 }, (_, at) => `!r${at}:hs.test` as RoomId);
    await using s = await reading(['read'], rooms);
    const tell: number[] = [];
    for (let at = 0; at < 120; at++)
      tell.push((await s.ask('GET', `${V3}/profile/${encodeURIComponent(`@u${at}:hs.test`)}`)).status);
    expect(tell.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 403));
    // As it comes: a second or two may have gone by.
    expect(tell.slice(100).filter((status) => status === 429).length).toBeGreaterThan(10);
    expect(s.homeserver.seen.length).toBeLessThan(1_100);
  });
});

describe('everybody in a room', () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `@u${at}:hs.test`);
  test.each([
    [{ user_ids: names(20) }, 200],
    [{ user_ids: names(21) }, 403],
    [{ user_ids: names(2_000) }, 403],
  ])('is not rung by naming each of them', async (mentions, status) => {
    await using s = await writingStage(['send', 'edit', 'state']);
    const content = { msgtype: 'm.text', body: 'x', 'm.mentions': mentions };
    expect(
      (await s.ask('PUT', inRoom(OPS, 'send/m.room.message/1'), { body: JSON.stringify(content) })).status,
    ).toBe(status);
    const edit = {
      body: 'x',
      'm.relates_to': { rel_type: 'm.replace', event_id: '$own' },
      'm.new_content': content,
    };
    expect(
      (await s.ask('PUT', inRoom(OPS, 'send/m.room.message/2'), { body: JSON.stringify(edit) })).status,
    ).toBe(status);
    expect(
      (await s.ask('PUT', inRoom(OPS, 'state/m.room.topic/'), { body: JSON.stringify(content) })).status,
    ).toBe(status);
    expect(s.homeserver.seen.filter(({ method }) => method === 'PUT')).toHaveLength(status === 200 ? 3 : 0);
  });
});
