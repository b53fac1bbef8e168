import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accessOf, ALICE, DEV, OPS } from '../support/grants.ts';
import { stage, TOKEN } from '../support/stage.ts';

// What is kept, and shown to somebody else or for too long. Looked at: web cache deception and poisoning
// (OWASP WSTG 1008, ASVS 1560: private answers without `Cache-Control`, answers that vary by what is no part
// of their key), gateways whose cache of verified tokens outlives a revocation (keygen-api 651,
// azure-managed-grafana 74, carbon-apimgt 11791), CVE-2022-32213 and its kin (a smuggled answer poisons a
// cache in front). In here only three things are kept: what is told to anyone, who was found in which room,
// and verified tokens.

const OTHER = 'mwt_8G4L0R_anotherHoldersToken';
const GRANT = '7F3K9Q' as never;
const BOB = encodeURIComponent('@bob:hs.test');
const IN = (room: string, below: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${below}`;

describe('answers cannot be kept by anybody in between', () => {
  test.each([
    ['what is for anyone', 'GET', '/_matrix/client/versions', 200],
    ['the well-known file', 'GET', '/.well-known/matrix/client', 200],
    ['what is the holder’s', 'GET', '/_matrix/client/v3/joined_rooms', 200],
    ['what is told of the token', 'GET', '/_mintwarden/v1/token', 200],
    ['a refusal', 'GET', '/_matrix/client/v3/rooms/!x:y/state', 403],
    ['what is not there', 'GET', '/_matrix/client/v3/joined_rooms/x.css', 404],
    ['a path that looks like a style sheet', 'GET', `${IN(OPS, 'state')}/a.css`, 200],
    ['an ambiguous request', 'GET', '/_matrix/client/v3/joined_rooms%2Fx.css', 400],
    ['a missing method', 'PATCH', '/_matrix/client/v3/joined_rooms', 405],
  ])('%s', async (_, method, path, status) => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer((seen, response) => {
      response.setHeader('cache-control', 'public, max-age=3600');
      response.setHeader('etag', '"x"');
      response.setHeader('expires', 'Thu, 01 Jan 2099 00:00:00 GMT');
      response.setHeader('vary', 'x-evil');
      return seen.path.endsWith('versions') ? { versions: ['v1.11'] } : { joined_rooms: [OPS] };
    });
    const got = await s.ask(method, path);
    expect(got.status).toBe(status);
    expect(got.headers.get('cache-control')).toBe('no-store');
    for (const name of ['etag', 'expires', 'last-modified', 'age', 'vary', 'set-cookie', 'server', 'pragma'])
      expect(got.headers.get(name)).toBeNull();
  });

  test('conditions and ranges are not understood: the answer is whole, and the homeserver not told of them', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ joined_rooms: [OPS] }));
    const headers = {
      'if-none-match': '*',
      'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT',
      'if-match': '"x"',
      range: 'bytes=0-1',
      'if-range': '"x"',
    };
    const got = await s.ask('GET', '/_matrix/client/v3/joined_rooms', { headers });
    expect(got).toMatchObject({ status: 200, body: { joined_rooms: [OPS] } });
    expect(
      Object.keys(s.homeserver.seen[0]?.headers ?? {}).filter((name) => /^if-|range/.test(name)),
    ).toEqual([]);
  });

  test('a homeserver that says “not modified” is not believed', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(
      (_, response) => void response.writeHead(304, { 'content-type': 'application/json' }).end(),
    );
    expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(502);
  });
});

describe('what is told to anyone', () => {
  test('is the same for all: nothing of the request that was first is in it', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ versions: ['v1.11'] }));
    const poison = {
      headers: {
        'x-forwarded-host': 'evil.test',
        host: 'evil.test',
        origin: 'https://evil.test',
        cookie: 'a=b',
      },
    };
    const first = await s.ask('GET', '/_matrix/client/versions?x=evil', poison);
    const second = await s.ask('GET', '/_matrix/client/versions', { token: null });
    expect([...second.headers].filter(([name]) => name !== 'date')).toEqual(
      [...first.headers].filter(([name]) => name !== 'date'),
    );
    expect(second.body).toEqual(first.body);
    expect(s.homeserver.seen).toHaveLength(1);
    expect(s.homeserver.seen[0]?.url).toBe('/_matrix/client/versions');
    expect(JSON.stringify(s.homeserver.seen[0]?.headers)).not.toMatch(/evil|Bearer|cookie/);
    expect(
      JSON.stringify([
        first.body,
        [...first.headers],
        (await s.ask('GET', '/.well-known/matrix/client', poison)).body,
      ]),
    ).not.toContain('evil');
  });
});

describe('two grants of one subject', () => {
  test('each get their own answer, though they ask the same at the same time', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.desk.add(OTHER, accessOf([DEV], { id: '8G4L0R' as never }));
    const all = Promise.withResolvers<void>();
    s.homeserver.answer((_, response) => {
      if (s.homeserver.seen.length === 20) all.resolve();
      void all.promise.then(() =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ joined_rooms: [OPS, DEV] })),
      );
      return undefined;
    });
    const asked = Array.from({ length: 20 }, (_, at) =>
      s.ask('GET', '/_matrix/client/v3/joined_rooms', { token: at % 2 === 0 ? TOKEN : OTHER }),
    );
    for (const [at, got] of (await Promise.all(asked)).entries())
      expect(got.body).toEqual({ joined_rooms: [at % 2 === 0 ? OPS : DEV] });
  });

  test('whom one has met the other has not', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.desk.add(OTHER, accessOf([DEV], { id: '8G4L0R' as never }));
    s.homeserver.answer(({ path }, response) => {
      if (path.includes('/profile/')) return { displayname: 'Bob' };
      if (path.includes(encodeURIComponent(OPS))) return { membership: 'join' };
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}');
      return undefined;
    });
    expect((await s.ask('GET', `/_matrix/client/v3/profile/${BOB}`)).status).toBe(200);
    expect((await s.ask('GET', `/_matrix/client/v3/profile/${BOB}`, { token: OTHER })).status).toBe(403);
  });

  test('whom a grant met in a room that has left the scope it has not met any more', async () => {
    await using s = await stage({ rooms: 'all', joined: [OPS, DEV] });
    s.homeserver.answer(({ path }, response) => {
      if (path.includes('/profile/')) return { displayname: 'Bob' };
      if (path.includes(encodeURIComponent(OPS))) return { membership: 'join' };
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}');
      return undefined;
    });
    expect((await s.ask('GET', `/_matrix/client/v3/profile/${BOB}`)).status).toBe(200);
    s.desk.add(TOKEN, { grant: accessOf([DEV]).grant, rooms: new Set([DEV]) });
    expect((await s.ask('GET', `/_matrix/client/v3/profile/${BOB}`)).status).toBe(403);
  });
});

describe('a token that was verified before', () => {
  test('is refused on the very next request after its grant ended, on the same connection too', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ joined_rooms: [OPS] }));
    for (let at = 0; at < 5; at++)
      expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(200);
    s.desk.end(GRANT);
    const before = s.homeserver.seen.length;
    for (let at = 0; at < 5; at++)
      expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(401);
    expect(s.homeserver.seen).toHaveLength(before);
  });

  test('opens nothing of a grant that has come after it for the same subject', async () => {
    await using s = await stage({ rooms: [OPS] });
    s.homeserver.answer(() => ({ joined_rooms: [OPS, DEV] }));
    expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).body).toEqual({ joined_rooms: [OPS] });
    s.desk.end(GRANT);
    s.desk.add(OTHER, accessOf([DEV], { id: '8G4L0R' as never, subject: ALICE }));
    expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(401);
    expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms', { token: OTHER })).body).toEqual({
      joined_rooms: [DEV],
    });
  });
});

test('transaction ids are a grant’s own: another’s event id is never the answer', async () => {
  const can = ['send', 'plaintext'] as const;
  const scope = { v: 1, rooms: [OPS], can } as const;
  await using s = await stage({ rooms: [OPS], grant: { scope } });
  s.desk.add(OTHER, accessOf([OPS], { id: '8G4L0R' as never, scope }));
  let sent = 0;
  s.homeserver.answer(({ method }) => (method === 'PUT' ? { event_id: `$${++sent}` } : { chunk: [] }));
  const send = (token: string) =>
    s.ask('PUT', IN(OPS, 'send/m.room.message/1'), { token, body: '{"body":"x"}' });
  expect((await send(TOKEN)).body).toEqual({ event_id: '$1' });
  expect((await send(OTHER)).body).toEqual({ event_id: '$2' });
  expect((await send(TOKEN)).body).toEqual({ event_id: '$1' });
  const ids = s.homeserver.seen
    .filter(({ method }) => method === 'PUT')
    .map(({ path }) => path.split('/').at(-1));
  expect(new Set(ids).size).toBe(2);
  for (const token of [TOKEN, OTHER])
    expect(ids.join()).not.toContain(createHash('sha256').update(token).digest('hex').slice(0, 8));
});
