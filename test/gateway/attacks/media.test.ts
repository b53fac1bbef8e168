import { describe, expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { accessOf, ALICE, DEV, grantOf, OPS, SECRET } from '../support/grants.ts';
import { answerWithFiles, A, BYTES, download, file, filesAsked, mediaStage } from '../support/media-room.ts';
import { UPSTREAM_TOKEN } from '../support/stage.ts';

const BOB = '@bob:hs.test';
const KNOWN = 'mxc://hs.test/known';
const V3 = '/_matrix/client/v3';
const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
const LONG_AGO = Date.now() - 86_400_000;
let count = 0;
const event = (more: Record<string, unknown>) => ({
  event_id: `$${++count}`,
  room_id: OPS,
  sender: BOB,
  type: 'm.room.message',
  origin_server_ts: Date.now(),
  content: { msgtype: 'm.image', body: 'x', url: KNOWN },
  ...more,
});
const FORBIDDEN = '{"errcode":"M_FORBIDDEN","error":"This token does not allow that."}';

/**
 * Reads all that the room shows, then asks for the file; and once more from a gateway that was shown nothing.
 */
async function bothWays(
  events: readonly Record<string, unknown>[],
  can: Parameters<typeof mediaStage>[1],
  scope = {},
): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const reads of [true, false]) {
    await using s = await mediaStage(events, can, { scope });
    if (reads) {
      for (const room of [OPS, DEV]) {
        await s.ask('GET', inRoom(room, 'messages?dir=b'));
        await s.ask('GET', inRoom(room, 'state'));
        await s.ask('GET', inRoom(room, 'state/org.example.fake/'));
        await s.ask('GET', inRoom(room, 'joined_members'));
      }
    }
    const got = await download(s, KNOWN);
    statuses.push(got.status);
    if (got.status !== 200) {
      expect(got.text).toBe(FORBIDDEN);
      expect(filesAsked(s)).toEqual([]);
    }
    const elsewhere = s.homeserver.seen.filter(({ url }) => url.includes(encodeURIComponent(SECRET)));
    expect(elsewhere).toEqual([]);
  }
  return statuses;
}

describe('an address that an event in scope shows', () => {
  test.each([
    ['an image', {}],
    ['its thumbnail', { content: { info: { thumbnail_url: KNOWN } } }],
    [
      'an encrypted file, and its thumbnail',
      { content: { file: { url: 'mxc://hs.test/x' }, info: { thumbnail_file: { url: KNOWN } } } },
    ],
    ['a sticker', { type: 'm.sticker' }],
    ['an edit', { content: { 'm.new_content': { url: KNOWN } } }],
    ['the room’s picture', { type: 'm.room.avatar', state_key: '', content: { url: KNOWN } }],
    ['the subject’s own image of before the grant', { sender: ALICE, origin_server_ts: LONG_AGO }],
  ])('opens: %s', async (_, more) => {
    expect(await bothWays([event(more)], ['read'])).toEqual([200, 200]);
  });

  test('a member’s picture', async () => {
    const member = event({
      type: 'm.room.member',
      state_key: BOB,
      content: { membership: 'join', avatar_url: KNOWN },
    });
    await using s = await mediaStage([member]);
    await s.ask('GET', inRoom(OPS, 'state'));
    expect((await download(s, KNOWN)).status).toBe(200);
  });

  test('is requested by a path the gateway builds, with the upstream token, and nothing of the holder’s', async () => {
    await using s = await mediaStage([event({})]);
    const got = await file(
      s,
      `${A}/download/hs.test/known/name.png?allow_redirect=true&allow_remote=true&timeout_ms=999999999&x=y`,
    );
    expect(got).toMatchObject({ status: 200, text: BYTES });
    expect(filesAsked(s)).toEqual(['/_matrix/client/v1/media/download/hs.test/known?timeout_ms=20000']);
    expect(s.homeserver.seen.at(-1)?.headers.authorization).toBe(`Bearer ${UPSTREAM_TOKEN}`);
  });

  test('a thumbnail has its sizes bounded', async () => {
    await using s = await mediaStage([event({})]);
    const ask = (query: string) => file(s, `${A}/thumbnail/hs.test/known?${query}`);
    expect((await ask('width=9999&height=32&method=crop&animated=true&dynamic=1')).status).toBe(200);
    expect(filesAsked(s)).toEqual([
      '/_matrix/client/v1/media/thumbnail/hs.test/known?timeout_ms=20000&width=2048&height=32&method=crop&animated=true',
    ]);
    for (const bad of [
      'width=32',
      'height=32',
      'width=1e9&height=1',
      'width=-1&height=1',
      'width=99999999999&height=1',
      'width=0&height=0',
      'width=1&height=1&method=exec',
      'width=1&height=1&animated=maybe',
      'width=1&width=2&height=1',
    ])
      expect([bad, (await ask(bad)).status]).toEqual([bad, 400]);
    expect(filesAsked(s)).toHaveLength(1);
  });
});

describe('a known address that the holder posts themselves is not opened by that', () => {
  test.each([
    ['sent', {}],
    [
      'edited in',
      {
        content: {
          'm.new_content': { url: KNOWN },
          'm.relates_to': { rel_type: 'm.replace', event_id: '$1' },
        },
      },
    ],
    ['as state', { type: 'm.room.avatar', state_key: '', content: { url: KNOWN } }],
    [
      'as their picture',
      { type: 'm.room.member', state_key: ALICE, content: { membership: 'join', avatar_url: KNOWN } },
    ],
    [
      'as someone’s picture',
      { type: 'm.room.member', state_key: BOB, content: { membership: 'invite', avatar_url: KNOWN } },
    ],
    ['reacted with', { type: 'm.reaction', content: { 'm.relates_to': { key: KNOWN }, url: KNOWN } }],
    ['with a moment of its own', { origin_server_ts: 'long ago' }],
    ['with no moment', { origin_server_ts: undefined }],
  ])('%s', async (_, more) => {
    expect(await bothWays([event({ sender: ALICE, ...more })], ['read', 'send'])).toEqual([403, 403]);
  });

  test.each([
    [
      'a reaction that others click on too',
      {
        type: 'm.reaction',
        content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$1', key: KNOWN, url: KNOWN } },
      },
    ],
    [
      'a quotation in a reply',
      { content: { body: `> ${KNOWN}`, formatted_body: `<mx-reply><img src="${KNOWN}"></mx-reply>` } },
    ],
    [
      'an invitation of the subject, which has the picture they set',
      { type: 'm.room.member', state_key: ALICE, content: { membership: 'invite', avatar_url: KNOWN } },
    ],
  ])('nor by what others’ clients make of it: %s', async (_, more) => {
    expect(await bothWays([event(more)], ['read', 'send'])).toEqual([403, 403]);
  });

  test('through the gateway, from end to end', async () => {
    await using s = await mediaStage([], ['read', 'send']);
    const content = JSON.stringify({ msgtype: 'm.image', body: 'x', url: KNOWN });
    expect((await s.ask('PUT', inRoom(OPS, 'send/m.room.message/t1'), { body: content })).status).toBe(200);
    answerWithFiles(s, [event({ sender: ALICE })]);
    await s.ask('GET', inRoom(OPS, 'messages?dir=b'));
    expect((await download(s, KNOWN)).status).toBe(403);
    answerWithFiles(s, [event({ sender: ALICE }), event({})]);
    await s.ask('GET', inRoom(OPS, 'messages?dir=b'));
    expect((await download(s, KNOWN)).status).toBe(200);
  });
});

describe('an address that nothing in scope shows', () => {
  test.each([
    ['only another room shows it', [event({ room_id: SECRET })]],
    [
      'a redacted event had it',
      [
        event({
          content: {},
          unsigned: { redacted_because: event({ type: 'm.room.redaction', content: { url: KNOWN } }) },
        }),
      ],
    ],
    [
      'what it was before a change of state',
      [
        event({
          type: 'm.room.avatar',
          state_key: '',
          content: {},
          unsigned: { prev_content: { url: KNOWN } },
        }),
      ],
    ],
    [
      'content that looks like an event',
      [
        event({
          sender: ALICE,
          content: {
            chunk: [event({})],
            event: event({}),
            unsigned: { 'm.relations': { 'm.replace': event({}) } },
            nested: { type: 'x', sender: BOB, content: { href: KNOWN } },
          },
        }),
      ],
    ],
    [
      'state whose content looks like an event',
      [event({ type: 'org.example.fake', state_key: '', sender: ALICE, content: event({}) })],
    ],
    ['in text', [event({ content: { body: `see ${KNOWN}`, url: ` ${KNOWN}` } })]],
    ['under another key', [event({ content: { external_url: KNOWN, url: { url: [KNOWN] } } })]],
    ['too deep', [event({ content: { a: { b: { c: { d: { e: { f: { g: { url: KNOWN } } } } } } } } })]],
  ])('%s', async (_, events) => {
    expect(await bothWays(events, ['read'])).toEqual([403, 403]);
  });

  test('a homeserver that shows another room’s event in this one does not open it', async () => {
    await using s = await mediaStage([]);
    s.homeserver.answer(({ path }) =>
      path.endsWith('/messages')
        ? { chunk: [event({ room_id: SECRET }), { ...event({}), room_id: undefined }], start: 's' }
        : { joined: {} },
    );
    await s.ask('GET', inRoom(OPS, 'messages?dir=b'));
    expect((await download(s, KNOWN)).status).toBe(403);
    expect(filesAsked(s)).toEqual([]);
  });

  test('of a type that may not be read', async () => {
    const can = ['read:m.room.topic', 'media'] as const;
    await using s = await mediaStage([event({})], can);
    expect((await download(s, KNOWN)).status).toBe(403);
    answerWithFiles(s, [event({ type: 'm.room.topic' })]);
    expect((await download(s, 'mxc://hs.test/other')).status).toBe(403);
    expect(filesAsked(s)).toEqual([]);
  });

  test('is refused without the capability, whatever shows it', async () => {
    await using s = await mediaStage([event({})], ['send', 'upload']);
    const got = await download(s, KNOWN);
    expect([got.status, got.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="media"',
    ]);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('shown to another grant', async () => {
    await using s = await mediaStage([event({ room_id: SECRET })]);
    s.desk.add('mwt_other', accessOf([SECRET], { id: '0THER1' as GrantId }));
    await s.ask('GET', inRoom(SECRET, 'messages?dir=b'), { token: 'mwt_other' });
    expect((await download(s, KNOWN, 'mwt_other')).status).toBe(200);
    expect((await download(s, KNOWN)).status).toBe(403);
    expect(filesAsked(s)).toHaveLength(1);
  });

  test('shown in a room that is no longer in scope', async () => {
    await using s = await mediaStage([event({})]);
    await s.ask('GET', inRoom(OPS, 'messages?dir=b'));
    expect((await download(s, KNOWN)).status).toBe(200);
    s.desk.add('mwt_7F3K9Q_thisIsTheScopedToken', { grant: grantOf([OPS, DEV]), rooms: new Set([DEV]) });
    expect((await download(s, KNOWN)).status).toBe(403);
    expect(filesAsked(s)).toHaveLength(1);
  });
});

describe('looking for what shows an address', () => {
  test('is bounded, however many addresses are tried, and one refused is not looked for again', async () => {
    await using s = await mediaStage([event({})]);
    const statuses = await Promise.all(
      Array.from({ length: 40 }, (_, at) => download(s, `mxc://hs.test/guess${at}`)),
    );
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([403, 429]));
    expect(statuses.find(({ status }) => status === 429)?.headers.get('retry-after')).not.toBeNull();
    // Five searches of two rooms, three requests each.
    expect(s.homeserver.seen.length).toBeLessThanOrEqual(30);
    const before = s.homeserver.seen.length;
    const known = statuses.findIndex(({ status }) => status === 403);
    expect((await download(s, `mxc://hs.test/guess${known}`)).status).toBe(403);
    expect(s.homeserver.seen).toHaveLength(before);
    expect(filesAsked(s)).toEqual([]);
  });

  test('finds many at once', async () => {
    const images = Array.from({ length: 50 }, (_, at) =>
      event({ content: { url: `mxc://hs.test/image${at}` } }),
    );
    await using s = await mediaStage(images);
    const got = await Promise.all(images.map(({ content: { url } }) => download(s, url)));
    expect(new Set(got.map(({ status }) => status))).toEqual(new Set([200]));
    expect(s.homeserver.seen.length - filesAsked(s).length).toBeLessThan(10);
  });

  test('where the homeserver is in trouble that is said, and not remembered', async () => {
    await using s = await mediaStage([]);
    s.homeserver.answer(
      (_, response) =>
        void response
          .writeHead(429, { 'content-type': 'application/json' })
          .end('{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}'),
    );
    expect((await download(s, KNOWN)).status).toBe(429);
    answerWithFiles(s, [event({})]);
    expect((await download(s, KNOWN)).status).toBe(200);
  });
});

describe('addresses that nothing has', () => {
  // CVE-2021-41281 (Synapse: an id with dots and slashes led out of the folder), and the usual disguises.
  test.each([
    '../../../etc/passwd',
    '..%2F..%2Fetc',
    '%2e%2e/known',
    'hs.test/..',
    'hs.test/%2e%2e',
    'hs.test/..;x',
    'hs.test/a%2Fb',
    'hs.test/a%5Cb',
    'hs.test/a\\b',
    'hs.test/a%252Fb',
    'hs.test/kn%6Fwn',
    'hs.test/known%00',
    'hs.test/known%0d%0aX:y',
    'hs.test/known;x',
    'hs.test/known,x',
    'hs.test/known.png',
    'hs.test/%D0%BA',
    'hs.test/known%20',
    'hs.test/',
    '/known',
    'hs.test//known',
    'hs.test@evil.test/known',
    'hs.test:80:90/known',
    'hs.test:/known',
    'hs.test:999999/known',
    'hs..test/known',
    '-hs.test/known',
    '[::1/known',
    '%5B::1%5D:x/known',
    'hs_test/known',
    'h%D1%95.test/known',
    'hs.test%23/known',
    'hs.test%3F/known',
    '*/known',
    `${'a'.repeat(300)}/known`,
    `hs.test/${'a'.repeat(256)}`,
  ])('%s', async (path) => {
    for (const can of [['read'], ['media-any']] as const) {
      await using s = await mediaStage([event({})], can);
      const text = await s.raw(
        `GET ${A}/download/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer mwt_7F3K9Q_thisIsTheScopedToken\r\nConnection: close\r\n\r\n`,
      );
      expect([path, /^HTTP\/1\.1 40[034]/.test(text)]).toEqual([path, true]);
      expect(s.homeserver.seen.filter(({ path: asked }) => !asked.startsWith(`${V3}/rooms/`))).toEqual([]);
    }
  });

  test('the legacy paths, which take no token, are not served', async () => {
    await using s = await mediaStage([event({})], ['media-any']);
    for (const version of ['v3', 'r0', 'v1']) {
      for (const below of [
        'download/hs.test/known',
        'download/hs.test/known/x',
        'thumbnail/hs.test/known?width=1&height=1',
        'preview_url?url=https://example.org',
      ])
        expect((await file(s, `/_matrix/media/${version}/${below}`)).status).toBe(404);
    }
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('`media-any`', () => {
  test('fetches what nothing shows; of other servers only at a pace, since the homeserver keeps it (CVE-2024-37302, CVE-2024-36403)', async () => {
    await using s = await mediaStage([], ['media-any'], { limits: { personalAtOnce: 3 } });
    for (let at = 0; at < 5; at++) expect((await download(s, `mxc://hs.test/local${at}`)).status).toBe(200);
    const remote = await Promise.all(
      Array.from({ length: 6 }, (_, at) => download(s, `mxc://far.test/large${at}`)),
    );
    expect(remote.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(filesAsked(s)).toHaveLength(8);
  });

  test('previews pages by the names of hosts alone (CVE-2022-41952: each is a call of the homeserver’s, so at a pace)', async () => {
    await using s = await mediaStage([], ['media-any'], { limits: { personalAtOnce: 2 } });
    const preview = (url: string) => s.ask('GET', `${A}/preview_url?url=${encodeURIComponent(url)}`);
    for (const bad of [
      'http://127.0.0.1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://[::1]/',
      'http://[::ffff:7f00:1]/',
      'http://localhost/',
      'http://localhost./',
      'http://a.localhost/',
      'http://printer.local/',
      'file:///etc/passwd',
      'gopher://a.test/',
      'http://u:p@a.test/',
      'mxc://hs.test/known',
      'x',
      '',
    ])
      expect([bad, (await preview(bad)).status]).toEqual([bad, 400]);
    expect(s.homeserver.seen).toEqual([]);
    s.homeserver.answer(() => ({
      'og:title': 'A page',
      'og:image': 'mxc://hs.test/x',
      'matrix:image:size': 12,
      'og:x': { y: 1 },
      secret: 'no',
    }));
    expect((await preview('https://a.test/x?y#z')).body).toEqual({
      'og:title': 'A page',
      'og:image': 'mxc://hs.test/x',
      'matrix:image:size': 12,
    });
    expect((await preview('https://a.test/')).status).toBe(200);
    expect((await preview('https://a.test/')).status).toBe(429);
    expect(s.homeserver.seen.map(({ url }) => url)).toEqual([
      `${A}/preview_url?url=https%3A%2F%2Fa.test%2Fx%3Fy%23z`,
      `${A}/preview_url?url=https%3A%2F%2Fa.test%2F`,
    ]);
  });
});
