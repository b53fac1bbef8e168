import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { OPS, SECRET } from '../support/grants.ts';
import { stage, UPSTREAM_TOKEN } from '../support/stage.ts';
import { settled } from '../../support/wait.ts';

const ROOM = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}`;
const event = (room: unknown, more: object = {}) => ({
  type: 'm.room.message',
  event_id: '$1',
  sender: '@bob:hs.test',
  content: { body: 'x' },
  room_id: room,
  ...more,
});

describe('answers that speak of another room', () => {
  test.each([
    [
      'messages',
      `${ROOM}/messages?dir=b`,
      { chunk: [event(SECRET), event(undefined), event(OPS)], state: [event(SECRET)], leak: SECRET },
      { chunk: [event(OPS)], state: [] },
    ],
    ['state', `${ROOM}/state`, [event(SECRET), event(OPS), event([OPS])], [event(OPS)]],
    [
      'members',
      `${ROOM}/members`,
      {
        chunk: [event(OPS), event(SECRET, { type: 'm.room.member' }), event(OPS, { type: 'm.room.member' })],
      },
      { chunk: [event(OPS, { type: 'm.room.member' })] },
    ],
    [
      'context',
      `${ROOM}/context/$1`,
      {
        event: event(OPS),
        events_before: [event(SECRET)],
        events_after: [event(OPS)],
        state: [event(SECRET)],
        leak: 1,
      },
      { event: event(OPS), events_before: [], events_after: [event(OPS)], state: [] },
    ],
    [
      'joined members',
      `${ROOM}/joined_members`,
      { joined: { '@bob:hs.test': { display_name: 'Bob', avatar_url: null, leak: 1 } }, leak: 1 },
      { joined: { '@bob:hs.test': { display_name: 'Bob' } } },
    ],
    [
      'an event',
      `${ROOM}/event/$1`,
      event(OPS, { unsigned: { transaction_id: 'leak', age: 1 }, leak: 1 }),
      event(OPS, { unsigned: { age: 1 } }),
    ],
  ])('%s', async (_, path, upstream, expected) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => upstream);
    const got = await s.ask('GET', path);
    expect(got.status).toBe(200);
    expect(got.body).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  test('an event of another room, one that is refused and one that does not exist are told alike', async () => {
    await using s = await stage({ rooms: [OPS] });
    const told: unknown[] = [];
    for (const path of [`${ROOM}/event/$1`, `${ROOM}/context/$1`]) {
      const other = event(SECRET);
      s.homeserver.answer(() => (path.includes('context') ? { event: other } : other));
      told.push(await s.ask('GET', path).then(({ status, body }) => ({ status, body })));
      for (const [status, errcode] of [
        [403, 'M_FORBIDDEN'],
        [404, 'M_NOT_FOUND'],
        [404, 'M_UNRECOGNIZED'],
      ] as const) {
        s.homeserver.answer((_, response) =>
          fail(response, status, { errcode, error: `Event $1 of ${SECRET}` }),
        );
        told.push(await s.ask('GET', path).then((got) => ({ status: got.status, body: got.body })));
      }
    }
    for (const one of told) expect(one).toEqual(told[0]);
  });
});

function fail(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

describe('the homeserver’s errors are told in our own words', () => {
  const leak = { error: `leak ${SECRET} ${UPSTREAM_TOKEN}`, 'org.leak': 1 };
  test.each([
    [400, { errcode: 'M_INVALID_PARAM' }, 400, 'M_INVALID_PARAM'],
    [400, { errcode: 'M_ORG_LEAK' }, 400, 'M_UNKNOWN'],
    [400, { errcode: '__proto__' }, 400, 'M_UNKNOWN'],
    [403, { errcode: 'M_FORBIDDEN' }, 403, 'M_FORBIDDEN'],
    [403, { errcode: 'M_CONSENT_NOT_GIVEN' }, 403, 'M_FORBIDDEN'],
    [404, { errcode: 'M_NOT_FOUND' }, 404, 'M_NOT_FOUND'],
    [401, { errcode: 'M_MISSING_TOKEN' }, 502, 'M_UNKNOWN'],
    [401, { errcode: 'M_USER_LOCKED', soft_logout: true }, 401, 'M_USER_LOCKED'],
    [302, {}, 502, 'M_UNKNOWN'],
    [500, { errcode: 'M_UNKNOWN' }, 502, 'M_UNKNOWN'],
    [503, {}, 502, 'M_UNKNOWN'],
  ])('%i %o', async (status, body, expected, errcode) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer((_, response) =>
      fail(response, status, { ...leak, ...body }, { location: 'http://leak', 'www-authenticate': 'leak' }),
    );
    const got = await s.ask('GET', `${ROOM}/messages?dir=b`);
    expect(got).toMatchObject({ status: expected, body: { errcode } });
    expect(JSON.stringify([got.body, ...got.headers])).not.toMatch(/leak|secret|syt_/);
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test('429 keeps its wait', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer((_, response) =>
      fail(response, 429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 2_500 }),
    );
    const got = await s.ask('GET', `${ROOM}/messages`);
    expect(got).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 2_500 } });
    expect(got.headers.get('retry-after')).toBe('3');
  });
});

describe('answers that are not what was asked for become a clean 502', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['not JSON', (response) => fail(response, 200, '<html>')],
    ['half of it', (response) => fail(response, 200, '{"chunk":[')],
    ['another type', (response) => fail(response, 200, '{"chunk":[]}', { 'content-type': 'text/html' })],
    [
      'compressed',
      (response) => fail(response, 200, gzipSync('{"chunk":[]}'), { 'content-encoding': 'gzip' }),
    ],
    ['not UTF-8', (response) => fail(response, 200, Buffer.from([0x7b, 0xff, 0x7d]))],
    ['a list', (response) => fail(response, 200, [])],
    ['null', (response) => fail(response, 200, 'null')],
    ['the wrong shape', (response) => fail(response, 200, { chunk: {} })],
    ['no chunk', (response) => fail(response, 200, {})],
    ['too large', (response) => fail(response, 200, { chunk: ['x'.repeat(60_000)] })],
    [
      'too large, in pieces',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        for (let at = 0; at < 60; at++) response.write(' '.repeat(1_000));
        response.end('{"chunk":[]}');
      },
    ],
    [
      'cut off',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"chunk":[]}', () => void settled().then(() => response.destroy()));
      },
    ],
    ['nothing at all', (response) => void response.destroy()],
    ['silence', () => undefined],
  ])('%s', async (_, script) => {
    await using s = await stage({ rooms: [OPS], limits: { answerBytes: 50_000, upstreamTimeoutMs: 500 } });
    s.homeserver.answer((__, response) => script(response));
    expect(await s.ask('GET', `${ROOM}/messages`)).toMatchObject({
      status: 502,
      body: { errcode: 'M_UNKNOWN' },
    });
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test('a homeserver that is down', async () => {
    await using s = await stage({ rooms: [OPS], homeserverUrl: 'http://127.0.0.1:1' });
    expect(await s.ask('GET', `${ROOM}/messages`)).toMatchObject({
      status: 502,
      body: { errcode: 'M_UNKNOWN' },
    });
  });
});
