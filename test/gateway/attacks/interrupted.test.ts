import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MintwardenError } from '../../../src/domain/errors.ts';
import type { LeaseId } from '../../../src/domain/ids.ts';
import type { CoarseTimer, Expiring } from '../../../src/gateway/limits/coarse-timer.ts';
import { RequestContext } from '../../../src/gateway/request/context.ts';
import type { UpstreamToken } from '../../../src/lifecycle/access/access-control.ts';
import { settled, until } from '../../support/wait.ts';
import { grantDesk } from '../support/grant-desk.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { recordingHomeserver } from '../support/recording-homeserver.ts';
import { stage, TOKEN, UPSTREAM_TOKEN } from '../support/stage.ts';
import { startTestGateway } from '../support/test-gateway.ts';

// A request waits now and then: for a lease, for another process, for a body. What happens meanwhile counts, and
// whatever goes wrong then is an answer, not the end of the process or a request that stays open.

const GRANT = '7F3K9Q' as never;
const ROOMS = '/_matrix/client/v3/joined_rooms';
const MESSAGES = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages?dir=b`;
const LEASE: UpstreamToken = { leaseId: 'lease-2' as LeaseId, token: 'syt_another' };
const UNKNOWN = '{"errcode":"M_UNKNOWN_TOKEN","error":"x"}';

describe('a request that waits for its lease', () => {
  test('is not sent once its grant has ended', async () => {
    await using s = await stage({ rooms: [OPS] });
    const lease = Promise.withResolvers<UpstreamToken>();
    s.desk.upstreamToken = () => lease.promise;
    const got = s.ask('GET', ROOMS);
    await settled();
    s.desk.end(GRANT);
    lease.resolve(LEASE);
    expect(await got).toMatchObject({ status: 401 });
    await settled();
    expect(s.homeserver.seen).toEqual([]);
  });

  test('is not sent once its holder has gone', async () => {
    await using s = await stage({ rooms: [OPS] });
    const lease = Promise.withResolvers<UpstreamToken>();
    const isAsked = Promise.withResolvers<void>();
    s.desk.upstreamToken = () => {
      isAsked.resolve();
      return lease.promise;
    };
    const socket = connect(s.gateway.port, '127.0.0.1');
    socket.write(`GET ${ROOMS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await isAsked.promise;
    socket.destroy();
    await until(() => s.logged.some(({ event }) => event === 'request'));
    lease.resolve(LEASE);
    await settled();
    expect(s.homeserver.seen).toEqual([]);
  });

  test('is not sent a second time, with a new lease, once its grant has ended', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer((_, response) => void response.writeHead(401).end(UNKNOWN));
    const renewal = Promise.withResolvers<UpstreamToken>();
    const isAsked = Promise.withResolvers<void>();
    s.desk.replaceUpstreamToken = () => {
      isAsked.resolve();
      return renewal.promise;
    };
    // Its holder is told late: until then the request is not over.
    const verify = s.desk.verifyToken.bind(s.desk);
    const told = Promise.withResolvers<void>();
    const got = s.ask('GET', ROOMS);
    await isAsked.promise;
    s.desk.verifyToken = async (token) => {
      await told.promise;
      return verify(token);
    };
    s.desk.end(GRANT);
    renewal.resolve(LEASE);
    await settled();
    told.resolve();
    expect(await got).toMatchObject({ status: 401 });
    expect(s.homeserver.seen).toHaveLength(1);
  });

  test.each([
    ['an error that nobody expected', new TypeError('the disk'), 500],
    ['the homeserver is gone', new MintwardenError('homeserver-unreachable', 'gone'), 502],
  ])('is answered where no other is had: %s', async (_, error, status) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer((_seen, response) => void response.writeHead(401).end(UNKNOWN));
    s.desk.replaceUpstreamToken = () => Promise.reject(error);
    expect((await s.ask('GET', ROOMS)).status).toBe(status);
  });
});

test('a grant that ends the moment after it was verified again lets nothing through', async () => {
  await using homeserver = await recordingHomeserver();
  const desk = grantDesk(UPSTREAM_TOKEN);
  desk.add(TOKEN, { grant: grantOf([OPS]), rooms: new Set([OPS]) });
  const verify = desk.verifyToken.bind(desk);
  let verified = 0;
  desk.verifyToken = (token) => {
    const result = verify(token);
    if (++verified === 2) queueMicrotask(() => desk.end(GRANT));
    return result;
  };
  const gateway = await startTestGateway({
    homeserverUrl: homeserver.url,
    accessControl: desk,
    // As where it is kept in another process.
    requestRate: { take: () => Promise.resolve(0), weigh: () => undefined },
  });
  const response = await fetch(`http://127.0.0.1:${gateway.port}${ROOMS}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await gateway.close();
  expect(response.status).toBe(401);
});

test('an answer that is nested too deep to be written is an error, and the next request is served', async () => {
  await using s = await stage({ rooms: [OPS] });
  const deep = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`;
  const event = `{"type":"m.room.message","event_id":"$a","sender":"@a:b","room_id":"${OPS}","content":${deep}}`;
  s.homeserver.answer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"chunk":[${event}],"start":"a","end":"b"}`);
  });
  const got = await s.ask('GET', MESSAGES, { signal: AbortSignal.timeout(3_000) });
  expect(got).toMatchObject({ status: 500, body: { errcode: 'M_UNKNOWN' } });
  expect(s.logged.filter(({ event: said }) => said === 'request')).toMatchObject([{ data: { status: 500 } }]);
  s.homeserver.answer(() => ({ chunk: [], start: 'a', end: 'b' }));
  expect((await s.ask('GET', MESSAGES)).status).toBe(200);
});

test('nothing is kept of a request whose body never comes once its connection is closed', async () => {
  const waiting = new Set<Expiring>();
  const timer: CoarseTimer = {
    now: () => 0,
    add: (entry) => void waiting.add(entry),
    delete: (entry) => void waiting.delete(entry),
    close: () => undefined,
  };
  const closed = Promise.withResolvers<void>();
  const server = createServer((message, response) => {
    const context = new RequestContext(message, response, 0, timer, { resume: () => {}, fail: () => {} });
    context.limitBody(30_000);
    response.on('close', () => closed.resolve());
    socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
  await closed.promise;
  server.close();
  expect(waiting.size).toBe(0);
});

test('a clock that is set back holds nobody up', async () => {
  await using homeserver = await recordingHomeserver();
  homeserver.answer((_, response) => void response.writeHead(500).end('{}'));
  const desk = grantDesk(UPSTREAM_TOKEN);
  desk.add(TOKEN, { grant: grantOf([OPS]), rooms: new Set([OPS]) });
  let behindMs = 0;
  const gateway = await startTestGateway({
    homeserverUrl: homeserver.url,
    accessControl: desk,
    clock: { now: () => Date.now() - behindMs },
    limits: { invalidTokenDelaysMs: [10], upstreamErrorDelaysMs: [10] },
  });
  const ask = async (path: string, token: string): Promise<number> => {
    const init = { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(2_000) };
    return (await fetch(`http://127.0.0.1:${gateway.port}/_matrix/client/${path}`, init)).status;
  };
  try {
    expect(await ask('versions', TOKEN)).toBe(502);
    for (behindMs of [0, 3_600_000]) {
      expect(await ask('v3/sync?since=s1&timeout=0', 'mwt_nobody')).toBe(401);
      expect(await ask('v3/sync?since=s1&timeout=0', TOKEN)).toBe(502);
    }
    // What was kept for a second, when it failed, is not kept for an hour.
    homeserver.answer(() => ({ versions: ['v1.11'] }));
    await until(async () => (await ask('versions', TOKEN)) === 200);
  } finally {
    await gateway.close();
  }
});
