import { expect, test } from 'vitest';
import { DEV, OPS, SECRET } from './support/grants.ts';
import { stage, TOKEN, UPSTREAM_TOKEN } from './support/stage.ts';
import { startTestGateway } from './support/test-gateway.ts';

const V3 = '/_matrix/client/v3';

test('says who one is without asking the homeserver', async () => {
  await using s = await stage();
  const me = await s.ask('GET', `${V3}/account/whoami`);
  expect(me).toMatchObject({
    status: 200,
    body: { user_id: '@alice:hs.test', device_id: 'MINTWARDEN_7F3K9Q' },
  });
  expect(s.homeserver.seen).toEqual([]);
});

test('passes versions on without a token, and advertises only what is served', async () => {
  await using s = await stage();
  s.homeserver.answer(() => ({
    versions: ['r0.6.1', 'v1.11', 'something else'],
    unstable_features: { 'org.matrix.msc4222': true, 'org.matrix.simplified_msc3575': true },
    server: { name: 'secret' },
  }));
  const versions = await s.ask('GET', '/_matrix/client/versions', { token: null });
  expect(versions.body).toEqual({
    versions: ['r0.6.1', 'v1.11'],
    unstable_features: { 'org.matrix.msc4222': true },
  });
  expect(s.homeserver.seen[0]?.headers.authorization).toBeUndefined();
});

test('shows of joined rooms only those in scope', async () => {
  await using s = await stage();
  s.homeserver.answer(() => ({ joined_rooms: [OPS, SECRET] }));
  expect((await s.ask('GET', `${V3}/joined_rooms`)).body).toEqual({ joined_rooms: [OPS] });
  expect(s.homeserver.seen[0]?.headers.authorization).toBe(`Bearer ${UPSTREAM_TOKEN}`);
});

test('reads a room in scope, and asks nothing about one that is not', async () => {
  await using s = await stage();
  const event = {
    type: 'm.room.message',
    event_id: '$1',
    sender: '@bob:hs.test',
    content: { body: 'hi' },
    room_id: DEV,
  };
  s.homeserver.answer(() => ({ chunk: [event, { ...event, room_id: SECRET }], start: 'a', end: 'b' }));
  const page = await s.ask(
    'GET',
    `${V3}/rooms/${encodeURIComponent(DEV)}/messages?dir=b&limit=99999&user_id=@x:y&filter={"types":["m.room.message"],"evil":1}`,
  );
  expect(page.body).toEqual({ chunk: [event], start: 'a', end: 'b' });
  expect(s.homeserver.seen).toHaveLength(1);
  const [seen] = s.homeserver.seen;
  expect(seen?.path).toBe(`${V3}/rooms/${encodeURIComponent(DEV)}/messages`);
  expect(Object.fromEntries(seen?.query ?? [])).toEqual({
    dir: 'b',
    limit: '1000',
    filter: '{"types":["m.room.message"]}',
  });

  const refused = await s.ask('GET', `${V3}/rooms/${encodeURIComponent(SECRET)}/messages?dir=b`);
  const nowhere = await s.ask('GET', `${V3}/rooms/${encodeURIComponent('!no:hs.test')}/messages?dir=b`);
  expect(refused).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  expect(nowhere.body).toEqual(refused.body);
  expect(s.homeserver.seen).toHaveLength(1);
});

test('checks the token before the endpoint', async () => {
  await using s = await stage();
  expect(await s.ask('GET', '/_matrix/client/v3/nothing', { token: null })).toMatchObject({
    status: 401,
    body: { errcode: 'M_MISSING_TOKEN' },
  });
  const unknown = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false } };
  expect(await s.ask('GET', '/_matrix/client/v3/nothing', { token: 'mwt_nope' })).toMatchObject(unknown);
  expect(await s.ask('GET', '/_matrix/client/v3/nothing')).toMatchObject({
    status: 404,
    body: { errcode: 'M_UNRECOGNIZED' },
  });
  s.desk.end('7F3K9Q' as never, 'suspended');
  expect(await s.ask('GET', `${V3}/joined_rooms`)).toMatchObject({
    status: 401,
    body: { errcode: 'M_USER_LOCKED', soft_logout: true },
  });
  expect(s.homeserver.seen).toEqual([]);
});

test('ends the grant at logout, and answers that before it is cut off', async () => {
  await using s = await stage();
  expect(await s.ask('POST', `${V3}/logout`, { body: '{}' })).toMatchObject({ status: 200, body: {} });
  expect(s.desk.withdrawn).toEqual(['7F3K9Q']);
  expect(await s.ask('GET', `${V3}/account/whoami`)).toMatchObject({
    status: 401,
    body: { errcode: 'M_UNKNOWN_TOKEN' },
  });
  expect(s.homeserver.seen).toEqual([]);
});

test('tells a holder what their token may do', async () => {
  await using s = await stage({ rooms: [OPS] });
  const { body } = await s.ask('GET', '/_mintwarden/v1/token');
  expect(body).toMatchObject({
    grant_id: '7F3K9Q',
    scope: { rooms: [OPS], can: ['read'] },
    open_rooms: [OPS],
    sentence: 'speaks for @alice:hs.test',
  });
  expect(JSON.stringify(body)).not.toContain(TOKEN);
});

test('never passes on headers of the homeserver, nor the holder’s own to it', async () => {
  await using s = await stage();
  s.homeserver.answer(() => ({ joined_rooms: [] }));
  const got = await s.ask('GET', `${V3}/joined_rooms`, {
    headers: { 'x-forwarded-for': '1.2.3.4', cookie: 'a=b', 'x-secret': '1' },
  });
  expect(got.headers.get('server')).toBeNull();
  expect(got.headers.get('set-cookie')).toBeNull();
  expect(got.headers.get('access-control-allow-origin')).toBe('*');
  expect(Object.keys(s.homeserver.seen[0]?.headers ?? {}).toSorted()).toEqual([
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'host',
    'user-agent',
  ]);
});

test('answers a preflight without a token', async () => {
  await using s = await stage();
  const got = await s.ask('OPTIONS', `${V3}/sync`, { token: null });
  expect(got.status).toBe(204);
  expect(got.headers.get('access-control-allow-headers')).toContain('Authorization');
});

test.each([
  ['never comes', 'Content-Length: 9\r\n\r\n'],
  ['comes in drops', 'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'],
])('a preflight whose body %s keeps no connection', async (_, rest) => {
  await using s = await stage({ limits: { requestTimeoutMs: 300 } });
  const begun = performance.now();
  const text = await s.raw(`OPTIONS ${V3}/sync HTTP/1.1\r\nHost: x\r\n${rest}`, 10_000);
  expect(text).toMatch(/^HTTP\/1.1 204/);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test('a flood without a valid token is few lines in the log', async () => {
  await using s = await stage();
  for (let index = 0; index < 50; index++) {
    await s.ask('GET', `${V3}/account/whoami`, { token: null });
    await s.ask('GET', `${V3}/account/whoami`, { token: `mwt_7F3K9Q_${String(index)}` });
    await s.ask('GET', `/nothing/${String(index)}`, { token: null });
    await s.ask('GET', `${V3}/%zz`, { token: null });
  }
  expect(s.logged.length).toBeLessThan(8);
  await s.gateway.close();
  const counted = s.logged.map(({ data }) => Number(data['count'] ?? 1));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(200);
});

test('logs the operation and the status, and nothing that names a room or a token', async () => {
  await using s = await stage();
  s.homeserver.answer(() => ({ chunk: [] }));
  await s.ask('GET', `${V3}/rooms/${encodeURIComponent(OPS)}/messages?dir=b&from=t123`);
  await s.ask('GET', `${V3}/sync?access_token=${TOKEN}`, { token: null });
  const lines = JSON.stringify(s.logged);
  expect(s.logged[0]).toMatchObject({
    event: 'request',
    data: { operation: 'getRoomEvents', status: 200, grant: '7F3K9Q' },
  });
  for (const secret of [TOKEN, UPSTREAM_TOKEN, OPS, encodeURIComponent(OPS), 't123'])
    expect(lines).not.toContain(secret);
});

test('a join is true where the subject is in the room, and refused where not, without anything being written', async () => {
  await using s = await stage({ rooms: [OPS] });
  const member = {
    type: 'm.room.member',
    state_key: '@alice:hs.test',
    sender: '@alice:hs.test',
    event_id: '$j',
    room_id: OPS,
  };
  const join = () => s.ask('POST', `${V3}/join/${encodeURIComponent(OPS)}`, { body: '{}' });
  s.homeserver.answer(() => ({ ...member, content: { membership: 'join' } }));
  expect(await join()).toMatchObject({ status: 200, body: { room_id: OPS } });
  s.homeserver.answer(() => ({ ...member, content: { membership: 'leave' } }));
  expect(await join()).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  expect(s.homeserver.seen.map((one) => one.method)).toEqual(['GET', 'GET']);
});

test('a profile is shown of who is met in a room in scope; the homeserver is not asked for a stranger’s', async () => {
  await using s = await stage({ rooms: [OPS, DEV] });
  s.homeserver.answer(({ path }) => {
    if (path.includes('/profile/')) return { displayname: 'Bob', 'org.leak': 1 };
    return { membership: path.includes(encodeURIComponent(DEV)) && path.includes('bob') ? 'join' : 'leave' };
  });
  expect(await s.ask('GET', `${V3}/profile/@bob:hs.test`)).toMatchObject({
    status: 200,
    body: { displayname: 'Bob' },
  });
  s.homeserver.seen.length = 0;
  expect((await s.ask('GET', `${V3}/profile/@bob:hs.test/displayname`)).body).toEqual({ displayname: 'Bob' });
  expect(s.homeserver.seen.map((one) => one.path)).toEqual([`${V3}/profile/%40bob%3Ahs.test/displayname`]);
  for (const stranger of ['@carol:hs.test', '@nobody:hs.test']) {
    s.homeserver.seen.length = 0;
    expect(await s.ask('GET', `${V3}/profile/${stranger}`)).toMatchObject({ status: 403 });
    expect(s.homeserver.seen.filter((one) => one.path.includes('/profile/'))).toEqual([]);
    expect(s.homeserver.seen).toHaveLength(2);
  }
});

test('for a scope of all rooms, a joined room that is not known is looked up', async () => {
  await using s = await stage({ rooms: 'all', joined: [OPS] });
  s.homeserver.answer(() => ({ joined_rooms: [OPS, DEV, SECRET] }));
  s.desk.join('7F3K9Q' as never, [OPS, DEV]);
  expect((await s.ask('GET', `${V3}/joined_rooms`)).body).toEqual({ joined_rooms: [OPS, DEV] });
});

test('says where it is, and that it is well, without a token', async () => {
  await using s = await stage();
  expect((await s.ask('GET', '/.well-known/matrix/client', { token: null })).body).toEqual({
    'm.homeserver': { base_url: 'https://gateway.test' },
  });
  expect((await s.ask('GET', '/health', { token: null })).body).toEqual({ status: 'ok' });
  expect(s.homeserver.seen).toEqual([]);
});

test('a port that is taken is said in a sentence', async () => {
  await using s = await stage();
  const again = startTestGateway({
    listen: { host: '127.0.0.1', port: s.gateway.port },
    homeserverUrl: s.homeserver.url,
    accessControl: s.desk,
  });
  await expect(again).rejects.toMatchObject({ code: 'configuration', hint: 'Is the port taken?' });
});
