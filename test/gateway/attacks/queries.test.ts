import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';

// One query, read in two ways. Advisories looked at: GHSA-7rh7-c77v-6434 (oauth2-proxy: the query is matched
// as if it were the path), CVE-2021-39164 (Synapse: `at` shows members to who may not see them),
// CVE-2017-12635 (of two equal names each reader takes another), MSC4127 (tokens in addresses), MSC4140
// (delays).

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
  s.homeserver.answer(({ path }) => (path.endsWith('/sync') ? { next_batch: 's1' } : { chunk: [] }));
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const MESSAGES = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages`;
const get = async (target: string) => {
  const text = await s.raw(
    `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
  );
  return { status: Number(text.split(' ')[1]), body: text.slice(text.indexOf('\r\n\r\n') + 4) };
};

describe('queries that could be read in two ways', () => {
  test.each([
    ['a name twice', 'dir=b&dir=f'],
    ['a name twice, once encoded', 'dir=b&d%69r=f'],
    ['two filters', 'filter={}&filter={"rooms":["!secret:hs.test"]}'],
    ['NUL', 'from=a%00b'],
    ['a line end', 'from=a%0d%0ab'],
    ['not UTF-8', 'from=%ff'],
    ['overlong UTF-8', 'from=%c0%80'],
    ['half an escape', 'from=%2'],
    ['raw bytes', 'from=\u00e9'],
    ['a JSON key twice', 'filter={"types":["a"],"types":["b"]}'],
    ['a JSON key twice, once escaped', 'filter={"types":["a"],"typ\\u0065s":["b"]}'],
    ['a filter that is none', 'filter=[]'],
    ['a filter with wrong types', 'filter={"types":"m.room.message"}'],
    ['a direction that is none', 'dir=x'],
    ['a limit that is none', 'limit=-1'],
    ['a limit in hexadecimal', 'limit=0x10'],
    ['a pagination token with spaces', 'from=a+b'],
  ])('%s', async (_, query) => {
    expect((await get(`${MESSAGES}?${query}`)).status).toBe(400);
    expect(s.homeserver.seen).toEqual([]);
  });
});

test.each([
  ['another user, as an application service says', 'user_id=@bob:hs.test'],
  ['a delay', 'org.matrix.msc4140.delay=1000'],
  ['a device, as an application service says', 'org.matrix.msc3202.device_id=X'],
  ['an unknown name', 'anything=1'],
  ['the separator of old', 'x=1;user_id=@bob:hs.test'],
])('%s is not passed on', async (_, query) => {
  expect((await get(`${MESSAGES}?dir=b&${query}`)).status).toBe(200);
  expect(s.homeserver.seen.map((one) => one.url.split('?')[1])).toEqual(['dir=b']);
});

test('a filter is rewritten: rooms outside the scope and what is unknown are not in it', async () => {
  const filter = JSON.stringify({
    rooms: [OPS, SECRET],
    not_rooms: [SECRET],
    types: ['m.*'],
    limit: 1e9,
    evil: SECRET,
    'org.x': { rooms: [SECRET] },
  });
  await get(`${MESSAGES}?filter=${encodeURIComponent(filter)}`);
  expect(JSON.parse(s.homeserver.seen[0]?.query.get('filter') ?? '')).toEqual({
    rooms: [OPS],
    not_rooms: [],
    types: ['m.*'],
    limit: 1_000,
  });
});

describe('a token in the address', () => {
  test.each([
    ['alone', `access_token=${TOKEN}`],
    ['with the header', `dir=b&access_token=${TOKEN}`],
    ['encoded', `access%5Ftoken=${TOKEN}`],
    ['beside a fault', `a=1&a=2&access_token=${TOKEN}`],
  ])('%s is refused and not echoed', async (_, query) => {
    const { status, body } = await get(`${MESSAGES}?${query}`);
    expect(status).toBe(401);
    expect(body).toContain('M_MISSING_TOKEN');
    expect(body).not.toContain(TOKEN);
    expect(s.homeserver.seen).toEqual([]);
    expect(JSON.stringify(s.logged)).not.toContain(TOKEN);
  });
});
