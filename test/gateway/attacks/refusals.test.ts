import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/domain/capability.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import { ALICE, grantOf, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

const V3 = '/_matrix/client/v3';
let s: Stage;
beforeAll(async () => {
  // A token that may do nothing at all in a room it is told of.
  s = await stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: [] } } });
});
afterAll(() => s[Symbol.asyncDispose]());

/** What a holder can tell two answers by. */
async function told(method: string, path: string, body?: string) {
  const got = await s.ask(method, path, body === undefined ? {} : { body });
  const headers = Object.fromEntries(
    [...got.headers].filter(([name]) => !['date', 'keep-alive', 'connection'].includes(name)),
  );
  return { status: got.status, body: got.body, headers };
}

const needing = CATALOGUE.flatMap((endpoint) => {
  if (
    endpoint.kind === 'static' ||
    endpoint.kind === 'public' ||
    endpoint.needs === 'holder' ||
    endpoint.needs === 'never'
  )
    return [];
  // A sync is answered with nothing instead: clients would not start, and some would storm.
  if (endpoint.id === 'sync' || (endpoint.kind !== 'refused' && endpoint.device === true)) return [];
  const method = endpoint.methods === 'any' ? 'GET' : (endpoint.methods[0] ?? 'GET');
  const path = (endpoint.paths[0] ?? '').replace('{v}', 'v3');
  return [
    { id: endpoint.id, method, path, body: method === 'GET' || method === 'DELETE' ? undefined : '{}' },
  ];
});

const filled = (path: string, room: string, user: string) =>
  path
    .replace(/\{roomId(?:OrAlias)?\}/, encodeURIComponent(room))
    .replace('{userId}', encodeURIComponent(user))
    .replace('{roomAlias}', '%23a%3Ahs.test')
    .replace('{eventType}', 'org.example.any')
    .replace('{type}', 'org.example.any')
    .replace('{receiptType}', 'm.read')
    .replace('{eventId}', '$e')
    .replace('{keyName}', 'displayname')
    .replaceAll(/\{\w+\}/g, 'x');

describe('a missing capability', () => {
  test.each(needing)(
    '$id: is named as RFC 6750 has it, alike for rooms in scope, others and none, and asked of nobody',
    async ({ method, path, body }) => {
      const before = s.homeserver.seen.length;
      const mine = await told(method, filled(path, OPS, ALICE), body);
      expect(mine).toMatchObject({
        status: 403,
        body: { errcode: 'M_FORBIDDEN', error: expect.stringMatching(/does not hold the capability/) },
      });
      const named = /^Bearer error="insufficient_scope", scope="([a-z-]+)"$/.exec(
        mine.headers['www-authenticate'] ?? '',
      )?.[1];
      expect(CAPABILITIES).toContain(named);
      for (const room of [SECRET, '!nowhere:hs.test', 'no room'])
        expect(await told(method, filled(path, room, ALICE), body)).toEqual(mine);
      expect(s.homeserver.seen).toHaveLength(before);
    },
  );

  test('is not named where it is there, and the room is not', async () => {
    await using reader = await stage({ rooms: [OPS] });
    for (const room of [SECRET, '!nowhere:hs.test']) {
      const got = await reader.ask('GET', `${V3}/rooms/${encodeURIComponent(room)}/messages`);
      expect([got.status, got.headers.get('www-authenticate')]).toEqual([403, null]);
    }
  });
});

describe('a 401', () => {
  test('without a token names the scheme alone', async () => {
    const ways: Record<string, string>[] = [{}, { authorization: 'Basic YTpi' }];
    for (const headers of ways) {
      const got = await s.ask('GET', `${V3}/sync`, { token: null, headers });
      expect([got.status, got.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    }
  });

  test('of a bad token says that it is bad, whichever way', async () => {
    await using other = await stage();
    const bad = await other.ask('GET', `${V3}/joined_rooms`, { token: 'mwt_ZZZZZZ_nothing' });
    other.desk.end(grantOf([]).id);
    const ended = await other.ask('GET', `${V3}/joined_rooms`);
    for (const got of [bad, ended])
      expect([got.status, got.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ]);
    expect(ended.body).toEqual(bad.body);
  });
});

describe('methods (spec 1.19, M_UNRECOGNIZED; RFC 9110, 15.5.6)', () => {
  test.each([
    ['DELETE', `${V3}/sync`, 405, 'GET, OPTIONS'],
    ['GET', `${V3}/search`, 405, 'POST, OPTIONS'],
    ['PATCH', `${V3}/sync`, 405, 'GET, POST, PUT, DELETE, OPTIONS'],
    ['HEAD', `${V3}/search`, 405, 'POST, OPTIONS'],
    ['GET', `${V3}/nothing`, 404, null],
    ['GET', `${V3}/search/more`, 404, null],
    // What no token may do is not told apart by its methods.
    ['GET', `${V3}/createRoom`, 404, null],
  ])('%s %s', async (method, path, status, allow) => {
    const response = await fetch(`http://127.0.0.1:${s.gateway.port}${path}`, {
      method,
      headers: { authorization: 'Bearer mwt_7F3K9Q_thisIsTheScopedToken' },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    const text = await response.text();
    if (method === 'HEAD') expect(text).toBe('');
    else expect(JSON.parse(text)).toMatchObject({ errcode: 'M_UNRECOGNIZED' });
  });

  test('without a token nobody learns which there are', async () => {
    expect((await s.ask('DELETE', `${V3}/sync`, { token: null })).status).toBe(401);
  });
});

test('a preflight is answered alike for every path, with and without a token, as the specification asks', async () => {
  const preflight = {
    origin: 'https://client.test',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization',
  };
  for (const path of [
    `${V3}/sync`,
    `${V3}/rooms/${encodeURIComponent(SECRET)}/messages`,
    '/_synapse/admin',
    '/nothing',
  ]) {
    for (const token of [null, 'mwt_7F3K9Q_thisIsTheScopedToken', 'mwt_bad']) {
      const got = await s.ask('OPTIONS', path, { token, headers: preflight });
      expect(got.status).toBe(204);
      expect(
        Object.fromEntries([...got.headers].filter(([name]) => name.startsWith('access-control'))),
      ).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
        'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
        'access-control-expose-headers': 'Retry-After, WWW-Authenticate',
        'access-control-max-age': '86400',
      });
    }
  }
  expect((await s.ask('GET', `${V3}/nothing`)).headers.get('access-control-allow-origin')).toBe('*');
});

describe('capabilities say what is enforced for this token', () => {
  const upstream = {
    capabilities: {
      'm.room_versions': { default: '12', available: { '11': 'stable', '12': 'stable', x: 1 } },
      'm.change_password': { enabled: true },
      'm.set_displayname': { enabled: true },
      'm.set_avatar_url': { enabled: false },
      'm.get_login_token': { enabled: true },
      'org.example.leak': { enabled: true },
    },
  };
  test.each([
    [
      'read',
      {
        'm.set_displayname': { enabled: false },
        'm.set_avatar_url': { enabled: false },
        'm.profile_fields': { enabled: false },
      },
    ],
    [
      'profile',
      {
        'm.set_displayname': { enabled: true },
        'm.set_avatar_url': { enabled: false },
        'm.profile_fields': { enabled: true, allowed: expect.arrayContaining(['displayname']) },
      },
    ],
  ] as const)('with %s', async (can, profile) => {
    await using one = await stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: [can] } } });
    one.homeserver.answer(() => upstream);
    const off = { enabled: false };
    expect((await one.ask('GET', `${V3}/capabilities`)).body).toEqual({
      capabilities: {
        'm.room_versions': { default: '12', available: { '11': 'stable', '12': 'stable' } },
        'm.change_password': off,
        'm.3pid_changes': off,
        'm.get_login_token': off,
        ...profile,
      },
    });
  });
});
