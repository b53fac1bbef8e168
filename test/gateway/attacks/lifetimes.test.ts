import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { LeaseId } from '../../../src/domain/ids.ts';
import { OPS } from '../support/grants.ts';
import { stage, TOKEN, UPSTREAM_TOKEN } from '../support/stage.ts';
import { settled, until } from '../../support/wait.ts';

// When a grant ends, everything of it does. Looked at: gateways that went on taking revoked tokens while a
// cache or a session remembered them (azure-managed-grafana 74, carbon-apimgt 11791, keygen-api 651),
// CVE-2018-1002105 (Kubernetes: a connection that was opened with good credentials stays open), Synapse's own
// refusals, which must not reach the holder as if they were ours.

const GRANT = '7F3K9Q' as never;
const SYNC = '/_matrix/client/v3/sync?since=s0&timeout=20000';
const ROOMS = '/_matrix/client/v3/joined_rooms';
const hold = (s: Awaited<ReturnType<typeof stage>>) => {
  const asked = Promise.withResolvers<void>();
  s.homeserver.answer(() => asked.resolve());
  return asked.promise;
};

describe('a grant that ends', () => {
  test.each([
    ['invalid', 'M_UNKNOWN_TOKEN', false],
    ['suspended', 'M_USER_LOCKED', true],
  ] as const)('%s: its open requests end at once', async (how, errcode, soft) => {
    await using s = await stage({ rooms: [OPS] });
    const asked = hold(s);
    const polls = [s.ask('GET', SYNC), s.ask('GET', SYNC), s.ask('GET', ROOMS)];
    await asked;
    const endedAt = Date.now();
    s.desk.end(GRANT, how);
    for (const got of await Promise.all(polls))
      expect(got).toMatchObject({ status: 401, body: { errcode, soft_logout: soft } });
    expect(Date.now() - endedAt).toBeLessThan(100);
    const before = s.homeserver.seen.length;
    expect((await s.ask('GET', ROOMS)).status).toBe(401);
    expect(s.homeserver.seen).toHaveLength(before);
  });

  test('while its token is being verified: the result does not count', async () => {
    await using s = await stage({ rooms: [OPS] });
    const present = s.desk.verifyToken.bind(s.desk);
    let first = true;
    s.desk.verifyToken = async (token) => {
      const judged = await present(token);
      if (first) s.desk.end(GRANT);
      first = false;
      return judged;
    };
    expect(await s.ask('GET', ROOMS)).toMatchObject({ status: 401 });
    expect(s.homeserver.seen).toEqual([]);
  });

  test('by the clock, with nobody saying so, while the homeserver answers: nothing is shown', async () => {
    const expiresAt = Date.now() + 300;
    await using s = await stage({ rooms: [OPS], grant: { expiresAt } });
    s.homeserver.answer((_, response) => {
      void until(() => Date.now() > expiresAt).then(() => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ joined_rooms: [OPS] }));
      });
    });
    expect(await s.ask('GET', ROOMS)).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } });
  });
});

describe('a request whose body is still on its way when the grant ends', () => {
  test.each([
    ['GET', '/_mintwarden/v1/token'],
    ['GET', ROOMS],
    ['POST', '/_matrix/client/v3/keys/upload'],
    ['POST', '/_matrix/client/v3/logout'],
  ])('%s %s is refused at once', async (method, path) => {
    await using s = await stage({ rooms: [OPS] });
    const socket = connect(s.gateway.port, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 10\r\n\r\n12345`,
    );
    await settled();
    s.desk.end(GRANT);
    await settled();
    expect(text).toContain('M_UNKNOWN_TOKEN');
    expect(text).not.toContain(OPS);
    expect(s.homeserver.seen).toEqual([]);
    socket.destroy();
  });

  test('and where that happens at the same moment, introspection says nothing either', async () => {
    await using s = await stage({ rooms: [OPS] });
    const now = s.desk.verifyToken.bind(s.desk);
    s.desk.verifyToken = async (token) => {
      const judged = await now(token);
      // After the check, before its result is used.
      queueMicrotask(() => queueMicrotask(() => s.desk.end(GRANT)));
      return judged;
    };
    expect(await s.ask('GET', '/_mintwarden/v1/token')).toMatchObject({ status: 401 });
  });
});

describe('the homeserver’s own M_UNKNOWN_TOKEN', () => {
  const unknown = { errcode: 'M_UNKNOWN_TOKEN', error: 'x', soft_logout: true };
  test.each([
    ['one new lease, one more attempt', { leaseId: 'lease-2' as LeaseId, token: 'syt_new' }, 200, 2],
    ['and if that is refused too: later', { leaseId: 'lease-2' as LeaseId, token: 'syt_bad' }, 503, 2],
    ['the subject is gone', 'gone', 401, 1],
    ['no new lease available', 'unavailable', 503, 1],
  ] as const)('%s', async (_, renewal, status, asked) => {
    await using s = await stage({ rooms: [OPS] });
    s.desk.renewal = renewal;
    s.homeserver.answer(({ headers }, response) => {
      if (headers.authorization === 'Bearer syt_new') return { joined_rooms: [] };
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(unknown));
      return undefined;
    });
    const got = await s.ask('GET', ROOMS);
    expect(got.status).toBe(status);
    expect(got.body['soft_logout']).not.toBe(true);
    expect(JSON.stringify(got.body)).not.toContain(UPSTREAM_TOKEN);
    expect(s.desk.refused).toEqual(['lease-1']);
    expect(s.homeserver.seen).toHaveLength(asked);
  });
});

describe('an ended token in a retry storm', () => {
  test('the first sync is answered at once, the next ones late and one at a time', async () => {
    await using s = await stage({ rooms: [OPS], limits: { invalidTokenDelaysMs: [150, 300] } });
    s.desk.end(GRANT);
    const startedAt = Date.now();
    const took = async () => {
      expect(await s.ask('GET', SYNC)).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } });
      return Date.now() - startedAt;
    };
    expect(await took()).toBeLessThan(100);
    const times = await Promise.all([took(), took()]);
    expect(times.toSorted((a, b) => a - b)[0]).toBeGreaterThanOrEqual(140);
    expect(times.toSorted((a, b) => a - b)[1]).toBeGreaterThanOrEqual(440);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('too many at once are cut off, other requests and other tokens are not slowed', async () => {
    await using s = await stage({ rooms: [OPS], limits: { invalidTokenDelaysMs: [2_000] } });
    s.desk.end(GRANT);
    await s.ask('GET', SYNC);
    const leaving = new AbortController();
    const storm = Array.from({ length: 10 }, () =>
      s.ask('GET', SYNC, { signal: leaving.signal }).then(
        () => 'answered',
        (error: Error) => error.name,
      ),
    );
    const startedAt = Date.now();
    expect((await s.ask('GET', ROOMS)).status).toBe(401);
    expect((await s.ask('GET', SYNC, { token: 'mwt_other' })).status).toBe(401);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    leaving.abort();
    const ends = await Promise.all(storm);
    expect(ends.filter((end) => end === 'TypeError')).toHaveLength(6);
  });

  test('what is presented is never echoed', async () => {
    await using s = await stage();
    const got = await s.ask('GET', ROOMS, { token: 'mwt_whatever_this_is' });
    expect(JSON.stringify([got.body, s.logged])).not.toContain('whatever');
  });
});

test('a good token’s syncs are slowed while the homeserver fails, cut when the grant ends, and quick again after', async () => {
  await using s = await stage({ rooms: [OPS], limits: { upstreamErrorDelaysMs: [200, 5_000] } });
  s.homeserver.answer((_, response) => void response.destroy());
  const took = async (expected: number) => {
    const startedAt = Date.now();
    expect((await s.ask('GET', SYNC)).status).toBe(expected);
    return Date.now() - startedAt;
  };
  expect(await took(502)).toBeLessThan(150);
  expect(await took(502)).toBeGreaterThanOrEqual(190);
  s.homeserver.answer(() => ({
    next_batch: 's1',
    rooms: { leave: { [OPS]: { timeline: { events: [], limited: true } } } },
  }));
  expect(await took(200)).toBeLessThan(150);
  s.homeserver.answer((_, response) => void response.destroy());
  expect(await took(502)).toBeLessThan(150);
  await took(502);
  const slowed = took(401);
  await settled();
  s.desk.end(GRANT);
  expect(await slowed).toBeLessThan(1_000);
});

test('one grant has so many requests at a time', async () => {
  await using s = await stage({ rooms: [OPS], limits: { concurrentPerGrant: 2 } });
  const asked = hold(s);
  const leaving = new AbortController();
  const polls = [
    s.ask('GET', SYNC, { signal: leaving.signal }),
    s.ask('GET', SYNC, { signal: leaving.signal }),
  ].map((poll) => poll.catch(() => null));
  await asked;
  await settled();
  expect(await s.ask('GET', ROOMS)).toMatchObject({
    status: 429,
    body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1_000 },
  });
  leaving.abort();
  await Promise.all(polls);
  s.homeserver.answer(() => ({ joined_rooms: [] }));
  await settled();
  expect((await s.ask('GET', ROOMS, { token: TOKEN })).status).toBe(200);
});
