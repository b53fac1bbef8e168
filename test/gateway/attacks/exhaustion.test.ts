import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { coarseTimer } from '../../../src/gateway/limits/coarse-timer.ts';
import { memoryBudget } from '../../../src/gateway/limits/memory-budget.ts';
import type { GrantId } from '../../../src/domain/ids.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';
import { realTime, settled, until } from '../../support/wait.ts';

const GRANT = '7F3K9Q' as never;
const IN = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/state`;
const REQUEST = `GET ${IN} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
const event = (size: number) => ({
  type: 'x',
  sender: '@a:b',
  room_id: OPS,
  content: { body: 'x'.repeat(size) },
});
const MIB = 1_048_576;
/** As many events as make so much. */
const events = (size: number) => Array.from({ length: size / 32_768 }, () => event(32_768));

const NOBODY = { writtenAt: null, endSlowReading: () => undefined };

/** A holder who asks and does not read. */
function deaf(port: number, bytes: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(bytes);
  return socket;
}

/** How many answers were given to the system, which cannot pass them on: said in the log. */
const answered = (s: Stage): number => s.logged.filter(({ event: said }) => said === 'request').length;

describe('someone without a token', () => {
  test('cannot make the homeserver work: what is public is requested once for all, even if it fails', async () => {
    await using s = await stage();
    let open = 0;
    let most = 0;
    s.homeserver.answer((_, response) => {
      most = Math.max(most, ++open);
      void settled().then(() => {
        open--;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"versions":["v1.11"]}');
      });
    });
    const one = 'GET /_matrix/client/versions HTTP/1.1\r\nHost: x\r\n\r\n';
    const texts = await Promise.all(Array.from({ length: 5 }, () => s.raw(one.repeat(200), 1_000)));
    for (const text of texts) expect(text.split('"v1.11"')).toHaveLength(201);
    expect(most).toBe(1);
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test('cannot keep it busy while it fails, and a failure is not remembered for long', async () => {
    await using s = await stage();
    s.homeserver.answer((_, response) => void response.writeHead(500).end('{}'));
    for (let at = 0; at < 50; at++)
      expect((await s.ask('GET', '/_matrix/client/versions', { token: null })).status).toBe(502);
    expect(s.homeserver.seen.length).toBeLessThan(5);
    s.homeserver.answer(() => ({ versions: ['v1.11'] }));
    const status = async () => (await s.ask('GET', '/_matrix/client/versions', { token: null })).status;
    await expect.poll(status, { timeout: 1_500 }).toBe(200);
  });

  test('one who asks and leaves does not take the answer from others', async () => {
    await using s = await stage();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    s.homeserver.answer((_, response) => {
      asked.resolve();
      void answer.promise.then(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"versions":["v1.11"]}'),
      );
    });
    const leaving = new AbortController();
    const first = s
      .ask('GET', '/_matrix/client/versions', { token: null, signal: leaving.signal })
      .catch(() => 'gone');
    await asked.promise;
    const second = s.ask('GET', '/_matrix/client/versions', { token: null });
    leaving.abort();
    expect(await first).toBe('gone');
    await settled();
    answer.resolve();
    expect((await second).status).toBe(200);
  });
});

describe('a holder who asks and does not read', () => {
  test('has no more requests than one who does', async () => {
    await using s = await stage({ rooms: [OPS], limits: { concurrentPerGrant: 4 } });
    const answer = JSON.stringify(events(4 * MIB));
    s.homeserver.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
    const sockets = Array.from({ length: 4 }, () => deaf(s.gateway.port, REQUEST));
    await until(() => answered(s) === 4, 15_000);
    expect(await s.ask('GET', IN)).toMatchObject({ status: 429 });
    for (const socket of sockets) socket.destroy();
    s.homeserver.answer(() => []);
    await expect.poll(async () => (await s.ask('GET', IN)).status).toBe(200);
  });

  test('is not waited for', async () => {
    await using s = await stage({ rooms: [OPS], limits: { readTimeoutMs: 500 } });
    s.homeserver.answer(() => events(8 * MIB));
    const socket = deaf(s.gateway.port, REQUEST);
    await until(() => answered(s) === 1, 15_000);
    // A socket that does not read hears nothing of its end.
    await realTime(2_000);
    let size = 0;
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (data: Buffer) => (size += data.length)).resume();
    await ended;
    expect(size).toBeLessThan(8 * MIB);
  });

  test('gets no more of it once the grant has ended', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => events(8 * MIB));
    const socket = deaf(s.gateway.port, REQUEST);
    await until(() => answered(s) === 1, 15_000);
    s.desk.end(GRANT);
    await settled();
    let size = 0;
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (data: Buffer) => (size += data.length)).resume();
    await ended;
    expect(size).toBeLessThan(8 * MIB);
  });
});

describe('large answers', () => {
  test('of one grant come one after another, and each is given back', async () => {
    await using s = await stage({ rooms: [OPS], limits: { answerBytes: 1_000_000 } });
    const rests: (() => void)[] = [];
    s.homeserver.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[');
      response.write(JSON.stringify(event(600_000)));
      rests.push(() => response.end(']'));
    });
    const statuses: number[] = [];
    const asked = Array.from({ length: 3 }, async () => {
      statuses.push((await s.ask('GET', IN)).status);
    });
    await until(() => rests.length === 3);
    for (const rest of rests) rest();
    await Promise.all(asked);
    expect(statuses).toEqual([200, 200, 200]);
  });

  test('of one grant do not keep another’s waiting', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.desk.add('mwt_other', { grant: grantOf([OPS], { id: '8F3K9Q' as GrantId }), rooms: new Set([OPS]) });
    const whole = JSON.stringify(events(4 * MIB));
    let asked = 0;
    const go = Promise.withResolvers<void>();
    s.homeserver.answer((_, response) => {
      asked++;
      void go.promise.then(() =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
          .end(whole),
      );
    });
    const order: string[] = [];
    const read = async (who: string, token: string): Promise<void> => {
      expect((await s.ask('GET', IN, { token })).status).toBe(200);
      order.push(who);
    };
    const reads = Array.from({ length: 12 }, () => read('greedy', TOKEN));
    await until(() => asked === 12);
    reads.push(read('other', 'mwt_other'));
    await until(() => asked === 13);
    go.resolve();
    await Promise.all(reads);
    expect(order.indexOf('other')).toBeLessThan(4);
  });

  test('of some grants leave a little room for every other', () => {
    const shared = memoryBudget(4 * MIB, 6 * MIB, coarseTimer());
    const hold = (grant: string) => shared.reserve(grant as never, NOBODY);
    const [greedy, grabbing, other] = [hold('A'), hold('B'), hold('C')];
    expect([greedy.take(4 * MIB), greedy.take(1), grabbing.take(2 * MIB), grabbing.take(1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([other.take(MIB), other.take(1)]).toEqual([true, false]);
    greedy.close();
    expect([greedy.take(1), other.take(2 * MIB)]).toEqual([false, true]);
    greedy.give(MIB);
    grabbing.releaseAll();
    other.close();
    expect([hold('A').take(4 * MIB), hold('B').take(2 * MIB), hold('C').take(2 * MIB)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('of a long wait do not add up', async () => {
    await using s = await stage({ rooms: [OPS], limits: { answerBytes: 1_000_000 } });
    let round = 0;
    s.homeserver.answer(() => ({
      next_batch: `s${++round}`,
      rooms: { join: { '!other:hs.test': { x: 'x'.repeat(400_000) } } },
    }));
    expect((await s.ask('GET', '/_matrix/client/v3/sync?since=s0&timeout=2000')).status).toBe(200);
    expect(round).toBeGreaterThan(3);
  });
});

describe('a holder who asks too often', () => {
  test('is told to wait, and the homeserver is not asked; nobody else waits', async () => {
    await using s = await stage({ rooms: [OPS], limits: { requestsPerSecond: 1, requestsAtOnce: 3 } });
    s.homeserver.answer(() => []);
    const other = 'mwt_8G4M0R_anotherScopedToken';
    s.desk.add(other, { grant: grantOf([OPS], { id: '8G4M0R' as GrantId }), rooms: new Set([OPS]) });
    for (let asked = 0; asked < 3; asked++) expect((await s.ask('GET', IN)).status).toBe(200);
    const told = await s.ask('GET', IN);
    expect(told).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } });
    expect(told.body['retry_after_ms']).toBeGreaterThan(0);
    expect(told.body['retry_after_ms']).toBeLessThanOrEqual(1_000);
    expect(told.headers.get('retry-after')).toBe('1');
    expect(s.homeserver.seen.length).toBe(3);
    expect((await s.ask('GET', IN, { token: other })).status).toBe(200);
  });

  test('has counted what is refused, and what is answered here, as well', async () => {
    await using s = await stage({ rooms: [OPS], limits: { requestsPerSecond: 1, requestsAtOnce: 2 } });
    expect((await s.ask('GET', IN.replace(/ops/, 'secret'))).status).toBe(403);
    expect((await s.ask('GET', '/_matrix/client/v3/account/whoami')).status).toBe(200);
    expect((await s.ask('GET', '/_matrix/client/v3/account/whoami')).status).toBe(429);
    expect((await s.ask('GET', '/nowhere')).status).toBe(429);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('who has no good token uses up nothing of it', async () => {
    await using s = await stage({ rooms: [OPS], limits: { requestsPerSecond: 1, requestsAtOnce: 1 } });
    const { length } = TOKEN;
    for (let asked = 0; asked < 5; asked++)
      expect((await s.ask('GET', IN, { token: `${TOKEN.slice(0, length - 1)}x` })).status).toBe(401);
    expect((await s.ask('GET', '/_matrix/client/v3/account/whoami')).status).toBe(200);
  });
});

test('requests that wait behind another on a connection end with it', async () => {
  await using s = await stage({ rooms: [OPS], limits: { concurrentPerGrant: 4 } });
  let open = 0;
  s.homeserver.answer((_, response) => {
    open++;
    response.on('close', () => open--);
  });
  const poll = `GET /_matrix/client/v3/sync?since=s0&timeout=20000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const socket = connect(s.gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(poll.repeat(4));
  await until(() => open === 4);
  socket.destroy();
  await until(() => open === 0, 1_000);
  s.homeserver.answer(() => ({ joined_rooms: [] }));
  expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(200);
});
