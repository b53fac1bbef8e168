import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseUserId, type UserId } from '../../src/domain/ids.ts';
import { adapter, ALICE, ISSUER_TOKEN, oddServer, says } from './odd-server.ts';

const soon = (): number => Date.now() + 60_000;

test.each([
  [403, 'M_FORBIDDEN', 'not-admin'],
  [401, 'M_UNKNOWN_TOKEN', 'issuer-logged-out'],
  [401, 'M_MISSING_TOKEN', 'issuer-logged-out'],
  [404, 'M_NOT_FOUND', 'no-such-user'],
  [429, 'M_LIMIT_EXCEEDED', 'limited'],
  [400, 'M_UNKNOWN', 'other'],
  [404, 'M_UNRECOGNIZED', 'other'],
  [401, 'M_USER_LOCKED', 'other'],
])('a refusal %i %s is %s: nothing exists', async (status, errcode, why) => {
  await using server = await oddServer(says(status, { errcode, error: 'something long' }));
  await using synapse = adapter(server.url);
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'refused', why });
});

test.each([
  ['a 500', says(500, { errcode: 'M_UNKNOWN', error: 'Internal server error' })],
  ['a 502 page of a proxy', says(502, '<html>Bad gateway</html>', { 'content-type': 'text/html' })],
  ['a 504 that claims to be Matrix', says(504, { errcode: 'M_FORBIDDEN' })],
  ['a 408 of a proxy that has passed the request on', says(408, { errcode: 'M_UNKNOWN' })],
  ['a 403 page of a proxy', says(403, '<html>Forbidden</html>')],
  ['a 404 without errcode', says(404, { error: 'no' })],
  ['a redirect', says(302, {}, { location: 'http://127.0.0.1:1/' })],
  ['a 200 page of a proxy', says(200, '<html>Welcome</html>')],
  ['a 200 without a token', says(200, {})],
  ['a 200 with a number as token', says(200, { access_token: 17 })],
  ['a 200 with an empty token', says(200, { access_token: '' })],
  ['a 200 with a token that breaks headers', says(200, { access_token: 'syt_a\r\nx: y' })],
  ['a 200 with an array', says(200, [{ access_token: 'syt_a' }])],
  ['a 200 that is cut in the middle', says(200, '{"access_token": "syt_')],
  ['a 201', says(201, { access_token: 'syt_a' })],
  ["a 200 with the issuer's own token", says(200, { access_token: ISSUER_TOKEN })],
  ['an answer far too large', says(200, `{"access_token": "syt_a", "x": "${'x'.repeat(100_000)}"}`)],
])('%s may have made a token: unknown', async (_what, answer) => {
  await using server = await oddServer(answer);
  await using synapse = adapter(server.url);
  const issued = await synapse.issuer.issue(ALICE, soon());
  expect(issued).toMatchObject({ kind: 'unknown' });
  expect(server.seen).toHaveLength(1);
});

test('a homeserver that is silent: unknown, in the time set', async () => {
  await using server = await oddServer(() => undefined);
  await using synapse = adapter(server.url, 200);
  const begun = performance.now();
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'unknown' });
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('a homeserver that starts its answer and never ends it: unknown, in the time set', async () => {
  await using server = await oddServer((_request, response) => {
    response.writeHead(200);
    response.write('{');
  });
  await using synapse = adapter(server.url, 200);
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'unknown' });
});

test('a connection cut after the request was read: unknown, and asked once only', async () => {
  await using server = await oddServer((request) => request.socket.destroy());
  await using synapse = adapter(server.url);
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'unknown' });
  expect(server.seen).toHaveLength(1);
});

test('a connection cut on a kept-alive socket is not tried again by the pool', async () => {
  let count = 0;
  await using server = await oddServer((request, response) => {
    count += 1;
    if (count === 1) says(200, { access_token: 'syt_first' })(request, response);
    else request.socket.destroy();
  });
  await using synapse = adapter(server.url);
  expect(await synapse.issuer.issue(ALICE, soon())).toEqual({ kind: 'issued', token: 'syt_first' });
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'unknown' });
  expect(server.seen).toHaveLength(2);
});

test('a refused connection proves that nothing exists', async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  await using synapse = adapter(`http://127.0.0.1:${String(port)}`);
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'refused', why: 'other' });
  expect(await synapse.issuer.kill('syt_upstream')).toMatchObject({ kind: 'unknown' });
});

test('a connection reset at the first byte of the request proves nothing', async () => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using synapse = adapter(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  expect(await synapse.issuer.issue(ALICE, soon())).toMatchObject({ kind: 'unknown' });
  server.close();
});

test('an end that is no whole number throws; one that has passed is refused; neither reaches the homeserver', async () => {
  await using server = await oddServer(says(200, { access_token: 'syt_a' }));
  await using synapse = adapter(server.url);
  for (const end of [Number.NaN, 1.5, Number.POSITIVE_INFINITY]) {
    await expect(synapse.issuer.issue(ALICE, end)).rejects.toMatchObject({ code: 'internal' });
  }
  expect(await synapse.issuer.issue(ALICE, Date.now() - 1)).toMatchObject({ kind: 'refused' });
  expect(await synapse.issuer.issue(ALICE, 0)).toMatchObject({ kind: 'refused' });
  expect(server.seen).toHaveLength(0);
});

test('whatever a user is called, the path stays one login, and the end is always sent', async () => {
  await using server = await oddServer(says(200, { access_token: 'syt_a' }));
  await using synapse = adapter(server.url);
  for (const name of [
    '@a/../../v2/users/x:test.local',
    '@a?x=1#y:test.local',
    '@%2e%2e:test.local',
    '@ü:test.local',
  ]) {
    await synapse.issuer.issue(parseUserId(name) as UserId, soon());
  }
  for (const request of server.seen) {
    expect(request.path).toMatch(/^\/_synapse\/admin\/v1\/users\/[^/?#]+\/login$/);
    expect(JSON.parse(request.body)).toEqual({ valid_until_ms: expect.any(Number) });
  }
  expect(decodeURIComponent(server.seen[0]?.path.split('/')[5] ?? '')).toBe('@a/../../v2/users/x:test.local');
});

test.each([
  ['a 200', says(200, {}), 'dead'],
  [
    'a token the homeserver does not know',
    says(401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false }),
    'dead',
  ],
  [
    'a token the homeserver takes for expired',
    says(401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }),
    'dead',
  ],
  [
    'a locked user: the token lives again when they are unlocked',
    says(401, { errcode: 'M_USER_LOCKED', soft_logout: true }),
    'unknown',
  ],
  ['a 401 of a proxy', says(401, 'Authorization required'), 'unknown'],
  ['a 401 without a token', says(401, { errcode: 'M_MISSING_TOKEN' }), 'unknown'],
  ['a 403', says(403, { errcode: 'M_FORBIDDEN' }), 'unknown'],
  ['a 404 (logins left to another service)', says(404, { errcode: 'M_UNRECOGNIZED' }), 'unknown'],
  ['a 404 that says unknown token', says(404, { errcode: 'M_UNKNOWN_TOKEN' }), 'unknown'],
  ['a 429', says(429, { errcode: 'M_LIMIT_EXCEEDED' }), 'unknown'],
  ['a 200 page of a proxy', says(200, '<html>ok</html>'), 'unknown'],
  ['a 200 that is something else', says(200, { errcode: 'M_UNKNOWN' }), 'unknown'],
  ['a 204', says(204, ''), 'unknown'],
  ['a 500', says(500, { errcode: 'M_UNKNOWN_TOKEN' }), 'unknown'],
])('logging out, answered with %s', async (_what, answer, kind) => {
  await using server = await oddServer(answer);
  await using synapse = adapter(server.url);
  expect(await synapse.issuer.kill('syt_upstream')).toMatchObject({ kind });
  expect(server.seen[0]).toMatchObject({
    method: 'POST',
    path: '/_matrix/client/v3/logout',
    authorization: 'Bearer syt_upstream',
  });
});

test('no token is in a log line or a problem, even where the homeserver echoes it', async () => {
  const echo = { errcode: 'M_UNKNOWN', error: `bad token ${ISSUER_TOKEN} syt_upstream` };
  await using server = await oddServer(says(400, echo));
  await using synapse = adapter(server.url);
  const issued = await synapse.issuer.issue(ALICE, soon());
  const killed = await synapse.issuer.kill('syt_upstream');
  expect(synapse.lines).toHaveLength(2);
  expect(JSON.stringify([issued, killed, synapse.lines])).not.toContain('syt_');
  const thrown = await synapse.issuer.kill('syt_up\nstream').catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: 'internal' });
  expect(String(thrown)).not.toContain('syt_');
});

test('a homeserver below a folder of its host', async () => {
  await using server = await oddServer(says(200, { access_token: 'syt_a' }));
  await using synapse = adapter(`${server.url}/matrix/`);
  await synapse.issuer.issue(ALICE, soon());
  expect(server.seen[0]?.path).toBe('/matrix/_synapse/admin/v1/users/%40alice%3Atest.local/login');
});
