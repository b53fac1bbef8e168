import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

describe('methods that no endpoint has', () => {
  test.each([
    ['HEAD', 405],
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
