import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OPS } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// One body, read in two ways. Advisories looked at: CVE-2017-12635 (CouchDB: of two equal keys one parser
// takes the first, the other the last), and the survey of JSON parsers behind it: keys equal once unescaped,
// comments, byte order marks, texts behind the end, nesting, numbers beyond precision.

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS], limits: { bodyBytes: 10_000 } });
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const FILTER = '/_matrix/client/v3/user/@alice:hs.test/filter';
const post = (body: string, headers: Record<string, string> = {}) => s.ask('POST', FILTER, { body, headers });

describe('bodies that are not plain JSON objects', () => {
  test.each([
    ['nothing', '', 400, 'M_NOT_JSON'],
    ['text', 'hello', 400, 'M_NOT_JSON'],
    ['a list', '[]', 400, 'M_BAD_JSON'],
    ['a key twice', '{"a":1,"a":2}', 400, 'M_UNKNOWN'],
    ['a role twice (CVE-2017-12635)', '{"roles":["_admin"],"roles":[]}', 400, 'M_UNKNOWN'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', 400, 'M_UNKNOWN'],
    ['a key twice, far apart', `{"a":1,"b":[${'1,'.repeat(50)}1],"a"${' '.repeat(500)}:2}`, 400, 'M_UNKNOWN'],
    ['a key twice, deep', '{"x":[{"y":{"a":1,"b":{"a":2},"a":3}}]}', 400, 'M_UNKNOWN'],
    ['very deep', `${'['.repeat(2_000)}${']'.repeat(2_000)}`, 400, 'M_UNKNOWN'],
    ['two texts', '{}{}', 400, 'M_NOT_JSON'],
    ['a comment', '{}/**/', 400, 'M_NOT_JSON'],
    ['a byte order mark', '\ufeff{}', 400, 'M_NOT_JSON'],
    ['too much', JSON.stringify({ a: 'x'.repeat(10_000) }), 413, 'M_TOO_LARGE'],
  ])('%s', async (_, body, status, errcode) => {
    expect(await post(body)).toMatchObject({ status, body: { errcode } });
    expect(s.homeserver.seen).toEqual([]);
  });
});

test('keys that look alike elsewhere are no doubles', async () => {
  expect((await post('{"a":"a","b":{"a":1},"c":["a","a"],"d":"\\"a\\":"}')).status).toBe(200);
});

test('a compressed body is refused', async () => {
  expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
});

test('__proto__ in a filter is only a key', async () => {
  const { body } = await post('{"__proto__":{"room":{"rooms":["!secret:hs.test"]}}}');
  s.homeserver.answer(() => ({ next_batch: 's1' }));
  await s.ask('GET', `/_matrix/client/v3/sync?filter=${String(body['filter_id'])}`);
  expect(s.homeserver.seen[0]?.url).not.toContain('secret');
});

test('a stored filter comes back as it was, under an id that needs nothing kept', async () => {
  const filter = { room: { timeline: { limit: 5, types: ['m.room.message'] } } };
  const { body } = await post(JSON.stringify(filter));
  const id = String(body['filter_id']);
  expect(id).not.toMatch(/^\{/);
  expect((await s.ask('GET', `${FILTER}/${id}`)).body).toEqual(filter);
  expect((await s.ask('GET', `/_matrix/client/v3/user/@bob:hs.test/filter/${id}`)).status).toBe(403);
  expect((await s.ask('GET', `${FILTER}/1`)).status).toBe(404);
  s.homeserver.answer(() => ({ next_batch: 's1' }));
  expect((await s.ask('GET', '/_matrix/client/v3/sync?filter=1')).status).toBe(400);
  await s.ask('GET', `/_matrix/client/v3/sync?filter=${id}`);
  expect(s.homeserver.seen).toHaveLength(1);
  expect(JSON.parse(s.homeserver.seen[0]?.query.get('filter') ?? '')).toMatchObject({
    room: { rooms: [OPS], timeline: { limit: 5 } },
  });
});

test('a bomb in a filter id stays packed', async () => {
  const bomb = `mw1-${deflateRawSync(Buffer.from(`{"a":"${'x'.repeat(5_000_000)}"}`)).toString('base64url')}`;
  expect((await s.ask('GET', `/_matrix/client/v3/sync?filter=${bomb}`)).status).toBe(400);
  expect(s.homeserver.seen).toEqual([]);
});
