import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../../src/domain/endpoint-rule.ts';
import type { UserId } from '../../../src/domain/ids.ts';
import { OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';

// One path, read in two ways. Each case is written on the socket byte for byte: no client tidies it.
// Advisories looked at: CVE-2019-9901 and CVE-2021-29492 (Envoy: dot segments, escaped slashes),
// CVE-2021-32779 (Envoy: a fragment), CVE-2021-31920 (Istio: many slashes), CVE-2026-26205 (OPA behind Envoy:
// two slashes at the start), CVE-2025-32431, CVE-2025-66490 and GHSA-xf64-8mw2-4gr2 (Traefik: encoded dots,
// encoded
// `/ \\ NUL ; ? #`, a prefix cut off), CVE-2026-27587 (Caddy: an escape is not looked at in lower case),
// CVE-2026-22037 (@fastify/express: a letter that is encoded), GHSA-7rh7-c77v-6434 and CVE-2026-41059
// (oauth2-proxy: rules matched against the query, or a fragment), Synapse's own single decoding of each
// segment.

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const status = async (target: string, method = 'GET') => {
  const text = await s.raw(
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
  );
  return Number(text.split(' ')[1]);
};

const V3 = '/_matrix/client/v3';
const IN = encodeURIComponent(OPS);
const OUT = encodeURIComponent(SECRET);

describe('paths that could be read in two ways never reach the homeserver', () => {
  test.each([
    ['dot segments', `${V3}/rooms/${IN}/../${OUT}/state`, 400],
    ['dot segments, encoded', `${V3}/rooms/${IN}/%2e%2e/${OUT}/state`, 400],
    ['half encoded', `${V3}/rooms/${IN}/.%2e/${OUT}/state`, 400],
    ['one dot', `${V3}/rooms/./${IN}/state`, 400],
    ['dots with a path parameter', `${V3}/rooms/${IN}/..;/${OUT}/state`, 400],
    ['an encoded slash', `${V3}/rooms/${IN}%2F..%2F${OUT}/state`, 400],
    ['an encoded backslash', `${V3}/rooms/${IN}%5C..%5C${OUT}/state`, 400],
    ['a backslash', `${V3}/rooms/${IN}\\..\\${OUT}/state`, 400],
    ['encoded twice', `${V3}/rooms/${IN}%252F..%252F${OUT}/state`, 400],
    ['a room encoded twice', `${V3}/rooms/%2521secret%253Ahs.test/state`, 400],
    ['a doubled slash', `${V3}//rooms/${IN}/state`, 400],
    ['a doubled slash at the start', `//${V3.slice(1)}/rooms/${IN}/state`, 400],
    ['an encoded NUL, `;`, `?`, `#` (CVE-2025-66490)', `${V3}/rooms/${OUT}%3B%3F%23%00/state`, 400],
    [
      'an encoded question mark before another room (CVE-2025-66490)',
      `${V3}/rooms/${OUT}%3F/rooms/${IN}/state`,
      404,
    ],
    ['a fragment, encoded (CVE-2026-41059)', `${V3}/rooms/${OUT}/state/x%23/rooms/${IN}`, 404],
    [
      'a path in the query (GHSA-7rh7-c77v-6434)',
      `${V3}/rooms/${OUT}/state?x=/_matrix/client/v3/rooms/${IN}/state`,
      403,
    ],
    ['an escape in another case (CVE-2026-27587)', `${V3}/rooms/${OUT}/%53tate`, 400],
    ['two slashes that could be a host (CVE-2026-26205)', `//hs.test${V3}/rooms/${IN}/state`, 400],
    ['a prefix that ends in dots (GHSA-xf64-8mw2-4gr2)', `/_matrix/client/v3%2e%2e/rooms/${OUT}/state`, 404],
    ['an empty room', `${V3}/rooms//state`, 400],
    ['NUL', `${V3}/rooms/${IN}%00${OUT}/state`, 400],
    ['a line end', `${V3}/rooms/${IN}%0d%0aX:%20y/state`, 400],
    ['an overlong slash', `${V3}/rooms/${IN}%c0%af/state`, 400],
    ['not UTF-8', `${V3}/rooms/${IN}%ff/state`, 400],
    ['a surrogate', `${V3}/rooms/${IN}%ed%a0%80/state`, 400],
    ['half an escape', `${V3}/rooms/${IN}%2/state`, 400],
    ['an IIS escape', `${V3}/rooms/${IN}%u002f/state`, 400],
    ['letters encoded without need', `${V3}/rooms/${IN}/%73tate`, 400],
    ['a byte order mark', `${V3}/rooms/%ef%bb%bf${IN}/state`, 400],
    ['a direction mark', `${V3}/rooms/${IN}%e2%80%ae/state`, 400],
    ['absolute form', `http://hs.test${V3}/rooms/${OUT}/state`, 400],
    ['absolute form, another scheme', `file://hs.test${V3}/account/whoami`, 400],
    ['authority form', 'hs.test:443', 400],
    ['an asterisk', '*', 400],
    ['a fragment', `${V3}/rooms/${OUT}/state#/rooms/${IN}`, 400],
    ['another room', `${V3}/rooms/${OUT}/state`, 403],
    ['another case', `${V3}/rooms/${encodeURIComponent(OPS.toUpperCase())}/state`, 403],
    ['a room and more', `${V3}/rooms/${IN}x/state`, 403],
    ['a suffix, as Synapse takes', `${V3}/rooms/${IN}/stateX`, 404],
    ['a prefix', `/x${V3}/rooms/${IN}/state`, 404],
    ['another case of the literal', `${V3}/Rooms/${IN}/state`, 404],
    ['a trailing slash where there is none', `${V3}/rooms/${IN}/messages/`, 404],
    ['an old API', `/_matrix/client/api/v1/rooms/${IN}/state`, 404],
    ['sliding sync', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', 404],
    ['search, by another method than its own', `${V3}/search`, 405],
    ['legacy events', `${V3}/events`, 404],
    ['initial sync of a room', `${V3}/rooms/${IN}/initialSync`, 404],
    ['the admin API', '/_synapse/admin/v2/users/@alice:hs.test', 403],
    ['the admin API, bare', '/_synapse', 404],
    ['federation', '/_matrix/federation/v1/version', 403],
    ['media', '/_matrix/media/v3/download/hs.test/abc', 404],
    ['an alias as a room', `${V3}/rooms/%23ops%3Ahs.test/state`, 403],
    ['a prototype as a room', `${V3}/rooms/__proto__/state`, 403],
    ['a prototype as a user', `${V3}/profile/constructor`, 403],
  ])('%s', async (_, target, expected) => {
    expect(await status(target)).toBe(expected);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('a slash in an id', () => {
  const ME = '@dev%2Fci:hs.test';
  const EVENT = `$${'a/b+c'.repeat(8)}abc`;
  const slashed = () =>
    stage({
      rooms: [OPS],
      grant: {
        subject: '@dev/ci:hs.test' as UserId,
        scope: {
          v: 1,
          rooms: [OPS],
          can: [
            'read',
            'typing',
            'profile',
            'directory',
            'state:com.example.a',
            'account-data:com.example.a',
            'redact',
          ],
        },
      },
    });

  test.each<[method: string, path: string, asked: string]>([
    ['PUT', `${V3}/profile/${ME}/displayname`, `${V3}/profile/%40dev%2Fci%3Ahs.test/displayname`],
    ['GET', `${V3}/profile/${ME}`, `${V3}/profile/%40dev%2Fci%3Ahs.test`],
    ['PUT', `${V3}/rooms/${IN}/typing/${ME}`, `${V3}/rooms/!ops%3Ahs.test/typing/%40dev%2Fci%3Ahs.test`],
    [
      'PUT',
      `${V3}/user/${ME}/account_data/com.example.a`,
      `${V3}/user/%40dev%2Fci%3Ahs.test/account_data/com.example.a`,
    ],
    ['GET', `${V3}/directory/room/%23dev%2Fci:hs.test`, `${V3}/directory/room/%23dev%2Fci%3Ahs.test`],
    [
      'GET',
      `${V3}/rooms/${IN}/state/m.room.member/${ME}`,
      `${V3}/rooms/!ops%3Ahs.test/state/m.room.member/%40dev%2Fci%3Ahs.test`,
    ],
    [
      'PUT',
      `${V3}/rooms/${IN}/state/com.example.a/a%2fb%2Fc`,
      `${V3}/rooms/!ops%3Ahs.test/state/com.example.a/a%2Fb%2Fc`,
    ],
    [
      'GET',
      `${V3}/rooms/${IN}/event/${encodeURIComponent(EVENT)}`,
      `${V3}/rooms/!ops%3Ahs.test/event/${encodeURIComponent(EVENT)}`,
    ],
  ])('passes, as one segment, encoded again: %s %s', async (method, path, asked) => {
    await using one = await slashed();
    one.homeserver.answer(() => ({}));
    const body = { displayname: 'x', typing: false };
    await one.ask(method, path, method === 'GET' ? {} : { body: JSON.stringify(body) });
    expect(one.homeserver.seen.map(({ url }) => url.split('?')[0])).toContain(asked);
  });

  test('a client starts with such a token', async () => {
    await using one = await slashed();
    const stored = await one.ask('POST', `${V3}/user/${ME}/filter`, { body: '{}' });
    expect(stored.status).toBe(200);
    expect((await one.ask('GET', `${V3}/user/${ME}/filter/${String(stored.body['filter_id'])}`)).status).toBe(
      200,
    );
  });

  test.each([
    ['a room', `${V3}/rooms/${IN}%2Fx/state`],
    ['a room and a literal', `${V3}/rooms/${IN}%2Fstate`],
    ['a type of state', `${V3}/rooms/${IN}/state/com%2Fexample`],
    ['a literal', `${V3}%2Frooms/${IN}/state`],
    ['a type of account data', `${V3}/user/${ME}/account_data/com%2Fexample`],
    ['what is no user', `${V3}/profile/dev%2Fci:hs.test`],
    ['a user without a server', `${V3}/profile/@dev%2Fci`],
    ['a user and what is behind', `${V3}/profile/@dev:hs.test%2Fdisplayname`],
    ['what is no alias', `${V3}/directory/room/dev%2Fci:hs.test`],
    ['an event of no room version', `${V3}/rooms/${IN}/event/$a%2Fb`],
    ['dots', `${V3}/rooms/${IN}/state/com.example.a/a%2F..%2Fb`],
    ['one dot', `${V3}/rooms/${IN}/state/com.example.a/a%2F.%2Fb`],
    ['dots with a parameter', `${V3}/rooms/${IN}/state/com.example.a/a%2F..;x%2Fb`],
    ['encoded dots', `${V3}/rooms/${IN}/state/com.example.a/a%2F%2e%2e%2Fb`],
    ['dots in a user id', `${V3}/profile/@a%2F..%2Fb:hs.test`],
    ['two slashes', `${V3}/rooms/${IN}/state/com.example.a/a%2F%2Fb`],
    ['one at the end', `${V3}/rooms/${IN}/state/com.example.a/a%2F`],
    ['one at the beginning', `${V3}/rooms/${IN}/state/com.example.a/%2Fa`],
    ['alone', `${V3}/rooms/${IN}/state/com.example.a/%2F`],
    ['a backslash', `${V3}/rooms/${IN}/state/com.example.a/a%5Cb`],
    ['encoded twice', `${V3}/rooms/${IN}/state/com.example.a/a%252Fb`],
    ['below a branch that is refused', '/_synapse/admin/v2/users/@dev%2Fci:hs.test'],
    ['where there is nothing', `${V3}/nothing/@dev%2Fci:hs.test`],
    ['a transaction', `${V3}/rooms/${IN}/send/m.room.message/a%2Fb`],
    ['a tag', `${V3}/user/${ME}/rooms/${IN}/tags/u.a%2Fb`],
  ])('does not pass in %s', async (_, path) => {
    await using one = await slashed();
    for (const method of ['GET', 'PUT']) {
      const got = await one.ask(method, path, method === 'GET' ? {} : { body: '{}' });
      expect([method, got.status]).toEqual([method, 400]);
    }
    expect(one.homeserver.seen).toEqual([]);
  });

  test('is one segment to endpoint rules, whatever it decodes to', async () => {
    const on = (rule: string) => ({
      rooms: [OPS] as const,
      grant: {
        scope: {
          v: 1 as const,
          rooms: [OPS],
          can: ['read'] as const,
          rules: [[{ verdict: 'deny' as const, on: parseEndpoint(rule) }]],
        },
      },
    });
    for (const [rule, status] of [
      [`GET ${V3}/rooms/*/state/com.example.a/*`, 403],
      [`GET ${V3}/rooms/*/state/com.example.a/a%2Fb`, 403],
      [`GET ${V3}/rooms/*/state/com.example.a/a/b`, 200],
      [`GET ${V3}/rooms/*/state/com.example.a/a/*`, 200],
    ] as const) {
      await using one = await stage({ ...on(rule), rooms: [OPS] });
      one.homeserver.answer(() => ({}));
      expect([rule, (await one.ask('GET', `${V3}/rooms/${IN}/state/com.example.a/a%2Fb`)).status]).toEqual([
        rule,
        status,
      ]);
    }
  });
});

describe('HEAD is GET without the body (RFC 9110, 9.3.2)', () => {
  test.each([
    ['/health', 200],
    ['/.well-known/matrix/client', 200],
    ['/_matrix/client/versions', 200],
    [`${V3}/account/whoami`, 200],
    [`${V3}/rooms/${IN}/state`, 200],
    [`${V3}/rooms/${OUT}/state`, 403],
    [`${V3}/search`, 405],
    [`${V3}/createRoom`, 404],
    [`${V3}/nothing`, 404],
    [`${V3}/rooms/${IN}/../state`, 400],
  ])('%s', async (path, expected) => {
    s.homeserver.answer(({ path: asked }) => (asked.endsWith('/versions') ? { versions: ['v1.1'] } : []));
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`;
    const [withBody, without] = [await s.raw(`GET ${path} ${head}`), await s.raw(`HEAD ${path} ${head}`)];
    const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\nDate: .*/, '');
    expect(Number(without.split(' ')[1])).toBe(expected);
    expect(headOf(without)).toBe(headOf(withBody));
    expect(without.slice(without.indexOf('\r\n\r\n') + 4)).toBe('');
    for (const { method } of s.homeserver.seen) expect(method).toBe('GET');
  });

  test('is under the same rules, and counts as a use', async () => {
    await using one = await stage({
      rooms: [OPS],
      grant: {
        scope: {
          v: 1,
          rooms: [OPS],
          can: ['read'],
          rules: [[{ verdict: 'deny', on: parseEndpoint(`GET ${V3}/account/whoami`) }]],
        },
      },
    });
    expect((await one.ask('HEAD', `${V3}/account/whoami`)).status).toBe(403);
  });
});

test.each(['via', 'server_name'])('a repeated %s is a list, and is not passed on', async (name) => {
  await using one = await stage({
    rooms: [OPS],
    grant: { scope: { v: 1, rooms: [OPS], can: ['join', 'knock'] } },
  });
  one.homeserver.answer(({ method }, response) => {
    if (method === 'POST') return { room_id: OPS };
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}');
    return undefined;
  });
  const list = `${name}=a.test&${name}=b.test&${name}=a.test`;
  for (const path of [`${V3}/join/${IN}`, `${V3}/rooms/${IN}/join`, `${V3}/knock/${IN}`])
    expect((await one.ask('POST', `${path}?${list}`, { body: '{}' })).status).toBe(200);
  expect(one.homeserver.seen.map(({ url }) => url).join()).not.toMatch(/via|server_name/);
  expect((await one.ask('POST', `${V3}/join/${IN}?${list}&${name}=%ff`, { body: '{}' })).status).toBe(400);
  expect((await one.ask('POST', `${V3}/join/${IN}?x=1&x=2`, { body: '{}' })).status).toBe(400);
});

describe('methods that no endpoint has', () => {
  test.each([
    ['PATCH', 405],
    ['TRACE', 405],
    ['PROPFIND', 405],
    ['CONNECT', 400],
    ['BREW', 400],
    ['get', 400],
  ])('%s', async (method, expected) => {
    expect(await status(`${V3}/rooms/${IN}/state`, method)).toBe(expected);
    expect(s.homeserver.seen).toEqual([]);
  });
});

test('a path is encoded again for the homeserver', async () => {
  s.homeserver.answer(() => ({ a: 1 }));
  expect(await status(`${V3}/rooms/!ops:hs.test/state/im.vector.x/a%3Fb%23c%26d=e`)).toBe(200);
  expect(s.homeserver.seen.map((one) => one.url)).toEqual([
    `${V3}/rooms/!ops%3Ahs.test/state/im.vector.x/a%3Fb%23c%26d%3De`,
  ]);
});

test('old and unstable names of an operation are asked under the one name', async () => {
  s.homeserver.answer(() => ({ chunk: [] }));
  for (const version of ['r0', 'v1', 'unstable'])
    expect(await status(`/_matrix/client/${version}/rooms/${IN}/members`)).toBe(200);
  expect(new Set(s.homeserver.seen.map((one) => one.url))).toEqual(
    new Set([`${V3}/rooms/!ops%3Ahs.test/members`]),
  );
});
