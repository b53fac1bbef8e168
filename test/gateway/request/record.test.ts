import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import type { RequestRecord } from '../../../src/gateway/request/record.ts';
import { DEV, OPS } from '../support/grants.ts';
import { type Stage, stage, UPSTREAM_TOKEN } from '../support/stage.ts';
import { realTime } from '../../support/wait.ts';

let it: Stage;
let seen: RequestRecord[];
let polls: number;

beforeEach(async () => {
  seen = [];
  polls = 0;
  it = await stage({
    rooms: [OPS],
    limits: { upstreamTimeoutMs: 300 },
    observer: { answered: (one) => void seen.push(one), polling: (change) => void (polls += change) },
  });
});
afterEach(() => it[Symbol.asyncDispose]());

const messages = (room: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b`;
const POLL = '/_matrix/client/v3/sync?since=s1&timeout=30000';

test('a request’s time at the homeserver is told apart', async () => {
  it.homeserver.answer(
    (_, response) =>
      // What is measured is real time.
      void realTime(80).then(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"chunk":[],"start":"a"}'),
      ),
  );
  expect((await it.ask('GET', messages(OPS))).status).toBe(200);
  expect(seen).toMatchObject([
    { operation: 'getRoomEvents', outcome: 'answered', status: 200, errcode: null },
  ]);
  const [{ ms, homeserverMs } = { ms: 0, homeserverMs: 0 }] = seen;
  expect(homeserverMs).toBeGreaterThan(70);
  expect(ms).toBeGreaterThanOrEqual(homeserverMs);
  expect(ms - homeserverMs).toBeLessThan(60);
});

test('refusals are told with their reason, and that the homeserver was not asked', async () => {
  await it.ask('GET', messages(DEV));
  await it.ask('GET', messages(OPS), { token: 'mwt_7F3K9Q_notThisOne' });
  await it.ask('GET', messages(OPS), { token: null });
  await it.ask('GET', '/_matrix/client/v3/made/up');
  await it.ask('PATCH', messages(OPS));
  expect(
    seen.map(({ operation, status, errcode, homeserverMs }) => [operation, status, errcode, homeserverMs]),
  ).toEqual([
    ['getRoomEvents', 403, 'M_FORBIDDEN', 0],
    ['getRoomEvents', 401, 'M_UNKNOWN_TOKEN', 0],
    ['getRoomEvents', 401, 'M_MISSING_TOKEN', 0],
    ['none', 404, 'M_UNRECOGNIZED', 0],
    ['method', 405, 'M_UNRECOGNIZED', 0],
  ]);
});

test('a homeserver that does not answer in time is 502, and that took all the time', async () => {
  it.homeserver.answer(() => undefined);
  expect((await it.ask('GET', messages(OPS))).status).toBe(502);
  expect(seen).toMatchObject([{ status: 502 }]);
  expect(seen[0]?.homeserverMs).toBeGreaterThan(250);
});

test('a long-poll is open while it waits; a client that leaves is no refusal', async () => {
  it.homeserver.answer(() => undefined);
  const leaving = new AbortController();
  const open = Array.from({ length: 3 }, () =>
    it.ask('GET', POLL, { signal: leaving.signal }).catch(() => null),
  );
  await expect.poll(() => polls).toBe(3);
  leaving.abort();
  await Promise.all(open);
  await expect.poll(() => polls).toBe(0);
  await expect.poll(() => seen.length).toBe(3);
  for (const one of seen)
    expect(one).toMatchObject({ operation: 'sync', outcome: 'left', status: 0, errcode: null });
});

test('a long-poll of a grant that ends is over too', async () => {
  it.homeserver.answer(() => undefined);
  const open = it.ask('GET', POLL);
  await expect.poll(() => polls).toBe(1);
  it.desk.end('7F3K9Q' as GrantId);
  expect((await open).status).toBe(401);
  expect(polls).toBe(0);
});

test('what is no HTTP is counted too', async () => {
  await it.raw('NONSENSE\r\n\r\n');
  await it.raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`);
  await it.raw('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect(seen.map(({ operation, status }) => [operation, status])).toEqual([
    ['malformed', 400],
    ['malformed', 431],
    ['malformed', 400],
  ]);
});

test('nothing that is told says whose it was', async () => {
  it.homeserver.answer(() => ({ chunk: [], start: 'a' }));
  await it.ask('GET', messages(OPS));
  await it.ask('GET', messages(DEV));
  const text = JSON.stringify(seen);
  for (const secret of [OPS, DEV, encodeURIComponent(OPS), '7F3K9Q', UPSTREAM_TOKEN, 'mwt_', '@'])
    expect(text).not.toContain(secret);
});

test('an observer that throws ends no request', async () => {
  await using other = await stage({
    observer: {
      answered: () => {
        throw new TypeError('cannot count');
      },
      polling: () => {},
    },
  });
  expect((await other.ask('GET', messages(DEV))).status).not.toBe(0);
  expect((await other.ask('GET', '/_matrix/client/v3/account/whoami')).status).toBe(200);
  expect(other.logged.filter(({ event }) => event === 'request not counted')).toMatchObject([
    { data: { error: 'TypeError' } },
    {},
  ]);
});

test('a long-poll’s time is no measure of the gateway, a read’s is', async () => {
  it.homeserver.answer(() => ({ next_batch: 's2', rooms: {}, chunk: [], start: 'a' }));
  await it.ask('GET', '/_matrix/client/v3/sync');
  await it.ask('GET', messages(OPS));
  expect(seen.map(({ operation, timed }) => [operation, timed])).toEqual([
    ['sync', false],
    ['getRoomEvents', true],
  ]);
});
