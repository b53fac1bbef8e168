import { describe, expect, test } from 'vitest';
import type { Permission } from '../../../src/domain/permission.ts';
import { ALICE, OPS } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';

// Text that is JSON and still does not arrive as it was written: half of a character (JavaScript cuts an emoji in
// two), numbers that become null or others, filters that no address can hold. Homeservers answer them with 500, or
// close the connection; holders then try again and again.

const V3 = '/_matrix/client/v3';
const ROOM = `${V3}/rooms/${encodeURIComponent(OPS)}`;
const ME = `${V3}/user/${encodeURIComponent(ALICE)}`;
const ALL: readonly Permission[] = [
  'read',
  'send',
  'react',
  'state',
  'join',
  'leave',
  'knock',
  'invite',
  'kick',
  'ban',
  'tags',
  'typing',
  'receipts',
  'markers',
  'profile',
  'presence',
  'directory',
  'redact',
  'account-data:com.example.*',
];
const staged = (limits = {}): Promise<Stage> =>
  stage({ rooms: [OPS], grant: { scope: { v: 1, rooms: [OPS], can: ALL } }, limits });

/** Each is put in the place of X in a JSON text. */
const FAULTS: readonly (readonly [string, string])[] = [
  ['the first half', String.raw`"cut \ud83d"`],
  ['the second half', String.raw`"\udc4d cut"`],
  ['both halves the wrong way round', String.raw`"\udc4d\ud83d"`],
  ['half of it in capitals', String.raw`"\uD83D"`],
  ['a half before an escaped sign', String.raw`"\ud83d\\"`],
  ['a half in a key', String.raw`{"\ud83d":1}`],
  ['a half deep inside', String.raw`[{"a":[{"b":"\ude00"}]}]`],
  ['a number that is infinite', '1e400'],
  ['one below zero', '-1E+400'],
  ['one without an exponent', '9'.repeat(400)],
  ['a number that becomes another', '9007199254740993'],
  ['one below zero that does', '-9007199254740993'],
];

const WRITES: readonly (readonly [string, string, string])[] = [
  ['PUT', `${ROOM}/send/m.room.message/t1`, '{"msgtype":"m.text","body":"x","x":X}'],
  ['POST', `${ROOM}/send/m.room.message`, '{"msgtype":"m.text","body":X}'],
  ['PUT', `${ROOM}/send/m.reaction/t2`, '{"m.relates_to":{"key":X}}'],
  ['PUT', `${ROOM}/state/m.room.topic`, '{"topic":X}'],
  ['PUT', `${ROOM}/redact/$own/t3`, '{"reason":X}'],
  ['POST', `${ROOM}/join`, '{"reason":X}'],
  ['POST', `${ROOM}/leave`, '{"reason":X}'],
  ['POST', `${V3}/knock/${encodeURIComponent(OPS)}`, '{"reason":X}'],
  ['POST', `${ROOM}/invite`, '{"user_id":"@bob:hs.test","reason":X}'],
  ['POST', `${ROOM}/kick`, '{"user_id":"@bob:hs.test","reason":X}'],
  ['POST', `${ROOM}/ban`, '{"user_id":"@bob:hs.test","reason":X}'],
  ['PUT', `${ROOM}/typing/${ALICE}`, '{"typing":true,"timeout":X}'],
  ['POST', `${ROOM}/receipt/m.read/$own`, '{"thread_id":X}'],
  ['POST', `${ROOM}/read_markers`, '{"m.fully_read":X}'],
  ['PUT', `${V3}/profile/${ALICE}/displayname`, '{"displayname":X}'],
  ['PUT', `${V3}/presence/${ALICE}/status`, '{"presence":"online","status_msg":X}'],
  ['PUT', `${ME}/account_data/com.example.a`, '{"a":X}'],
  ['PUT', `${ME}/rooms/${OPS}/account_data/com.example.a`, '{"a":X}'],
  ['PUT', `${ME}/rooms/${OPS}/tags/u.a`, '{"order":X}'],
  ['POST', `${ME}/filter`, '{"room":{"timeline":{"types":X}}}'],
  ['POST', `${V3}/search`, '{"search_categories":{"room_events":{"search_term":X}}}'],
  ['POST', `${V3}/publicRooms`, '{"filter":{"generic_search_term":X}}'],
  ['POST', `${V3}/user_directory/search`, '{"search_term":X}'],
];

describe.each(FAULTS)('%s', (_, fault) => {
  test('is answered at once with M_BAD_JSON, wherever it is in a body', async () => {
    await using s = await staged();
    for (const [method, path, body] of WRITES) {
      const got = await s.ask(method, path, { body: body.replace('X', fault) });
      expect([path, got.status, got.body['errcode']]).toEqual([path, 400, 'M_BAD_JSON']);
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test('and in a filter in the address', async () => {
    await using s = await staged();
    const filter = encodeURIComponent(`{"types":${fault}}`);
    for (const path of [
      `${V3}/sync?filter=${encodeURIComponent(`{"room":{"timeline":{"types":${fault}}}}`)}`,
      `${ROOM}/messages?dir=b&filter=${filter}`,
      `${ROOM}/context/$own?filter=${filter}`,
    ]) {
      const got = await s.ask('GET', path);
      expect([path, got.status, got.body['errcode']]).toEqual([path, 400, 'M_BAD_JSON']);
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});

test.each([
  ['a whole character', String.raw`{"msgtype":"m.text","body":"\ud83d\udc4d"}`, '👍'],
  [
    'an escaped backslash before what looks like half',
    String.raw`{"msgtype":"m.text","body":"\\ud83d"}`,
    '\\ud83d',
  ],
])('%s passes', async (_, body, text) => {
  await using s = await staged();
  s.homeserver.answer(({ path }) => (path.includes('/send/') ? { event_id: '$sent' } : {}));
  await s.ask('PUT', `${ROOM}/send/m.room.message/t1`, { body });
  const sent = s.homeserver.seen
    .filter(({ method }) => method === 'PUT')
    .map((one) => JSON.parse(one.body) as unknown);
  for (const one of sent) expect(one).toEqual({ msgtype: 'm.text', body: text });
});

describe('a filter that no address can hold', () => {
  const types = Array.from({ length: 1_200 }, (_, index) => `com.example.type.number${index}`);

  test('is refused when it is stored, and not asked for', async () => {
    await using s = await staged();
    for (const filter of [
      { room: { timeline: { types } } },
      { room: { state: { not_senders: types.map((type) => `@${type}:hs.test`) } } },
      { room: { timeline: { types: types.slice(0, 300), senders: types.slice(300, 600) } } },
    ]) {
      const got = await s.ask('POST', `${ME}/filter`, { body: JSON.stringify(filter) });
      expect([got.status, got.body['errcode']]).toEqual([400, 'M_BAD_JSON']);
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test('is refused in the address, where it grows by being encoded again', async () => {
    await using s = await staged();
    const emoji = '👍'.repeat(1_200);
    for (const path of [
      `${ROOM}/messages?dir=b&filter=${encodeURIComponent(JSON.stringify({ types: [emoji] }))}`,
      `${V3}/sync?filter=${encodeURIComponent(JSON.stringify({ room: { timeline: { types: [emoji] } } }))}`,
    ]) {
      const got = await s.ask('GET', path);
      expect([got.status, got.body['errcode']]).toEqual([400, 'M_BAD_JSON']);
    }
    const raw = `{"types":[${Array.from({ length: 2_000 }, () => '""').join(',')}]}`;
    expect(
      await s.raw(
        `GET ${ROOM}/messages?dir=b&filter=${raw} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\nconnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 400 .*M_BAD_JSON/s);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('passes where it just fits, with the longest token beside it', async () => {
    await using s = await staged();
    s.homeserver.answer(() => ({ chunk: [], start: 's' }));
    const filter = encodeURIComponent(JSON.stringify({ types: types.slice(0, 270) }));
    const got = await s.ask('GET', `${ROOM}/messages?dir=b&from=${'s|'.repeat(512)}&filter=${filter}`);
    expect(got.status).toBe(200);
    expect(s.homeserver.seen[0]?.url.length).toBeLessThan(16_000);
  });
});

test('an address that the homeserver could not take is 414, and is not asked for', async () => {
  await using s = await staged();
  for (const id of [`$${'$'.repeat(8_000)}`, `$${'='.repeat(20_000)}`]) {
    const got = await s.ask('GET', `${ROOM}/event/${id}`);
    expect([400, 403, 404, 414]).toContain(got.status);
  }
  const got = await s.ask('GET', `${ROOM}/state/${':'.repeat(8_000)}`);
  expect([got.status, got.body['errcode']]).toEqual([414, 'M_TOO_LARGE']);
  expect(s.homeserver.seen).toEqual([]);
});
