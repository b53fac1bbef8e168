import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accessOf, DEV, OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';
import { settled } from '../../support/wait.ts';

// Where one request ends and the next begins, said in two ways. Advisories looked at:
// - Node and llhttp: CVE-2018-7159 (spaces in a length), CVE-2019-15606, CVE-2020-8287 (two
// Transfer-Encoding), CVE-2021-22959 (space before the colon), CVE-2022-32213, -32214, -32215,
// CVE-2022-35256, CVE-2023-30589 (bare CR), CVE-2024-22019 (chunk extensions without end), CVE-2024-27982
// (length behind a fold), CVE-2018-12116 (splitting)
// - undici: CVE-2026-1525 (two lengths in different case)
// - elsewhere: CVE-2022-24761 (waitress) and CVE-2023-38697 (Falcon): `+` and `0x` in lengths, CVE-2019-16785
// and CVE-2019-16789 (waitress: bare line feeds, odd white space in Transfer-Encoding), CVE-2019-9900 (Envoy:
// NUL in a header), CVE-2018-1002105 (Kubernetes: an upgrade that failed leaves the connection open to the
// backend), CVE-2026-33555 (HAProxy: a length without a body) Nothing of a holder's bytes is ever written to
// the homeserver's connection: the gateway writes a new request from what it parsed. So the homeserver may have seen
// what was asked of it, once, and nothing else.

let s: Stage;
const OTHER = 'mwt_8G4L0R_anotherHoldersToken';
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
  s.desk.add(OTHER, accessOf([DEV], { id: '8G4L0R' as never }));
  s.homeserver.answer(() => ({ chunk: [] }));
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const AUTH = `Host: x\r\nAuthorization: Bearer ${TOKEN}\r\n`;
const IN = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/members`;
const FILTER = '/_matrix/client/v3/user/@alice:hs.test/filter';
const INNER = `GET ${IN} HTTP/1.1\r\n${AUTH}\r\n`;
const post = (headers: string, body: string) => `POST ${FILTER} HTTP/1.1\r\n${AUTH}${headers}\r\n\r\n${body}`;
const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

describe('refused, the connection with it: what is behind is not read', () => {
  test.each([
    ['CL.TE', post('Content-Length: 6\r\nTransfer-Encoding: chunked', `0\r\n\r\nG${INNER}`)],
    ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4', `5c\r\n${INNER}\r\n0\r\n\r\n`)],
    ['CL.CL', post('Content-Length: 2\r\nContent-Length: 200', `{}${INNER}`)],
    [
      'CL.CL, in different case (CVE-2026-1525)',
      post('Content-Length: 2\r\ncontent-length: 3', `{}${INNER}`),
    ],
    ['CL.CL, the same twice', post('Content-Length: 2\r\nContent-Length: 2', `{}${INNER}`)],
    [
      'TE.TE (CVE-2020-8287)',
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${INNER}`),
    ],
    ['chunked not last (CVE-2022-32213)', post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${INNER}`)],
    ['chunked in quotes', post('Transfer-Encoding: "chunked"', `0\r\n\r\n${INNER}`)],
    ['chunked with something on it', post('Transfer-Encoding: chunkedchunked', `0\r\n\r\n${INNER}`)],
    [
      'chunked with a vertical tab (CVE-2019-16789)',
      post('Transfer-Encoding:\u000bchunked', `0\r\n\r\n${INNER}`),
    ],
    [
      'an encoding over two lines (CVE-2022-32215)',
      post('Transfer-Encoding:\r\n chunked', `0\r\n\r\n${INNER}`),
    ],
    [
      'an encoding over two lines, behind another',
      post('Transfer-Encoding: chunked\r\n , identity', `0\r\n\r\n${INNER}`),
    ],
    ['a space before the colon (CVE-2021-22959)', post('Content-Length : 200', `{}${INNER}`)],
    ['a tab before the colon', post('Transfer-Encoding\t: chunked', `0\r\n\r\n${INNER}`)],
    ['a space before the name (CVE-2024-27982)', post(' Content-Length: 200', `{}${INNER}`)],
    ['a length behind a fold (CVE-2024-27982)', post('X: y\r\n Content-Length: 200', `{}${INNER}`)],
    ['a space in a length (CVE-2018-7159)', post('Content-Length: 2 0', `{}${INNER}`)],
    ['a sign in a length (CVE-2023-38697)', post('Content-Length: +2', `{}${INNER}`)],
    ['a length below nothing', post('Content-Length: -1', `{}${INNER}`)],
    ['a length in hexadecimal (CVE-2023-38697)', post('Content-Length: 0x2', `{}${INNER}`)],
    ['a length of two', post('Content-Length: 2, 2', `{}${INNER}`)],
    ['an empty length', post('Content-Length:', `{}${INNER}`)],
    ['a length with a letter', post('Content-Length: 2x', `{}${INNER}`)],
    ['a length beyond all numbers', post('Content-Length: 18446744073709551618', `{}${INNER}`)],
    ['a bare line feed behind a header (CVE-2022-35256)', post('X: y\nContent-Length: 200', `{}${INNER}`)],
    [
      'bare line feeds at the end of the headers (CVE-2022-32214)',
      `GET ${IN} HTTP/1.1\r\n${AUTH}X: y\n\n${INNER}`,
    ],
    ['a bare carriage return (CVE-2023-30589)', post('X: \rTransfer-Encoding: chunked', `0\r\n\r\n${INNER}`)],
    ['a header without a colon', post('Transfer-Encoding chunked\r\nContent-Length: 2', `{}${INNER}`)],
    ['a NUL in a header (CVE-2019-9900)', post('X: a\0b\r\nContent-Length: 2', `{}${INNER}`)],
    ['a NUL in a name', post('X\0: a\r\nContent-Length: 2', `{}${INNER}`)],
    [
      'a chunk with a sign (CVE-2023-38697)',
      post('Transfer-Encoding: chunked', `+2\r\n{}\r\n0\r\n\r\n${INNER}`),
    ],
    [
      'a chunk in hexadecimal (CVE-2023-38697)',
      post('Transfer-Encoding: chunked', `0x2\r\n{}\r\n0\r\n\r\n${INNER}`),
    ],
    ['a chunk below nothing', post('Transfer-Encoding: chunked', `-1\r\n{}\r\n0\r\n\r\n${INNER}`)],
    ['a chunk longer than it says', post('Transfer-Encoding: chunked', `1\r\n{}\r\n0\r\n\r\n${INNER}`)],
    ['chunks parted by bare line feeds', post('Transfer-Encoding: chunked', `2\n{}\n0\n\n${INNER}`)],
    [
      'a line feed in a chunk’s extension (CVE-2023-38697)',
      post('Transfer-Encoding: chunked', `2;a\nb\r\n{}\r\n0\r\n\r\n${INNER}`),
    ],
    [
      'a chunk’s extension without end (CVE-2024-22019)',
      post('Transfer-Encoding: chunked', `2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n${INNER}`),
    ],
    [
      'a trailer that would be a header',
      post('Transfer-Encoding: chunked', `2\r\n{}\r\n0\r\nContent Length: 5\r\n\r\n${INNER}`),
    ],
    ['authority form', `CONNECT hs.test:443 HTTP/1.1\r\n${AUTH}\r\n${INNER}`],
    ['a version that is none', `GET ${IN} HTTP/1.9\r\n${AUTH}\r\n${INNER}`],
    ['no version', `GET ${IN}\r\n\r\n${INNER}`],
    ['a space in the target', `GET ${IN} /x HTTP/1.1\r\n${AUTH}\r\n${INNER}`],
    ['HTTP/2 by prior knowledge', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${INNER}`],
    [
      'an upgrade to a socket (CVE-2018-1002105)',
      `GET ${IN} HTTP/1.1\r\n${AUTH}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n${INNER}`,
    ],
  ])('%s', async (_, bytes) => {
    const text = await s.raw(bytes);
    const [first = 0, ...more] = statuses(text);
    expect(more).toEqual([]);
    expect([0, 400, 413, 431]).toContain(first);
    expect(text).not.toContain(TOKEN);
    expect(s.homeserver.seen).toEqual([]);
  });
});

describe('understood in the one way there is, and judged one by one', () => {
  test.each([
    [
      'a body on a GET is no request',
      `GET ${IN} HTTP/1.1\r\n${AUTH}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
      [200],
      1,
    ],
    ['a body that is a request', post(`Content-Length: ${INNER.length}`, INNER), [400], 0],
    [
      'a trailer is not a header',
      post('Transfer-Encoding: chunked', '2\r\n{}\r\n0\r\nAuthorization: Bearer other\r\nHost: y\r\n\r\n'),
      [200],
      0,
    ],
    [
      'a short extension of a chunk says nothing',
      post('Transfer-Encoding: chunked', '2;a=b\r\n{}\r\n0\r\n\r\n'),
      [200],
      0,
    ],
    ['chunked in capitals', post('transfer-ENCODING: CHUNKED', '2\r\n{}\r\n0\r\n\r\n'), [200], 0],
    ['a length with zeros before', post('Content-Length: 0002', '{}'), [200], 0],
    [
      'a second request of a room outside',
      `${INNER}${INNER.replace(encodeURIComponent(OPS), encodeURIComponent(SECRET))}`,
      [200, 403],
      1,
    ],
    ['a second request without a token', `${INNER}GET ${IN} HTTP/1.1\r\nHost: x\r\n\r\n`, [200, 401], 1],
    [
      'a second request of another holder: its own scope',
      `${INNER}${INNER.replace(TOKEN, OTHER)}`,
      [200, 403],
      1,
    ],
    [
      'HTTP/1.0 kept alive',
      `GET ${IN} HTTP/1.0\r\n${AUTH}Connection: keep-alive\r\n\r\n${INNER}`,
      [200, 200],
      2,
    ],
    [
      'two spaces before the version, as RFC 9112 (3) lets them be read',
      INNER.replace(' HTTP', '  HTTP') + INNER,
      [200, 200],
      2,
    ],
    ['empty lines before a request', `\r\n\r\n${INNER}`, [200], 1],
    [
      'an offer of HTTP/2: what is behind it is not read',
      `GET ${IN} HTTP/1.1\r\n${AUTH}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n${INNER}`,
      [200],
      1,
    ],
    ['absolute form, whatever host it names', `GET http://hs.test${IN} HTTP/1.1\r\n${AUTH}\r\n`, [400], 0],
    [
      'absolute form with a token in it',
      `GET http://${TOKEN}@hs.test${IN} HTTP/1.1\r\n${AUTH}\r\n`,
      [400],
      0,
    ],
  ] as const)('%s', async (_, bytes, expected, asked) => {
    const text = await s.raw(bytes);
    expect(statuses(text)).toEqual(expected);
    expect(s.homeserver.seen).toHaveLength(asked);
    for (const seen of s.homeserver.seen)
      expect(seen).toMatchObject({ method: 'GET', body: '', path: IN.replace('!ops:', '!ops%3A') });
  });

  test.each([
    ['close', INNER.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
    ['HTTP/1.0', INNER.replace('HTTP/1.1', 'HTTP/1.0')],
  ])('what comes after the last request of a connection is not served: %s', async (_, last) => {
    const text = await s.raw(`${last}${INNER}${INNER}`);
    expect(statuses(text)).toHaveLength(1);
    expect(s.homeserver.seen.length).toBeLessThan(2);
  });

  test('TE.TE, the other way (CVE-2020-8287): refused, and nothing more is told on that connection', async () => {
    const text = await s.raw(post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked', `0\r\n\r\n${INNER}`));
    expect(statuses(text)).toEqual([400]);
    expect(text).toMatch(/connection: close/i);
  });

  test('answers come in the order of the requests, whichever is ready first', async () => {
    const quick = Promise.withResolvers<void>();
    s.homeserver.answer(({ path }, response) => {
      const isSlow = path.endsWith('/members');
      const answer = (): void =>
        void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(isSlow ? '{"chunk":[]}' : '{"joined_rooms":[]}');
      if (isSlow) void quick.promise.then(() => settled()).then(answer);
      else {
        answer();
        quick.resolve();
      }
      return undefined;
    });
    const text = await s.raw(
      `${INNER}GET /_matrix/client/v3/joined_rooms HTTP/1.1\r\n${AUTH.replace(TOKEN, OTHER)}\r\n`,
    );
    expect(text.indexOf('"chunk"')).toBeLessThan(text.indexOf('"joined_rooms"'));
    s.homeserver.answer(() => ({ chunk: [] }));
  });

  test('a body that never comes keeps nobody else waiting (CVE-2026-33555)', async () => {
    const socket = connect(s.gateway.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(post('Content-Length: 50', '{'));
    expect((await s.ask('GET', IN)).status).toBe(200);
    socket.destroy();
    expect((await s.ask('GET', IN)).status).toBe(200);
    expect(s.homeserver.seen).toHaveLength(2);
  });
});

test.each([
  [
    'a line end in a segment (CVE-2018-12116)',
    '/_matrix/client/v3/rooms/!ops:hs.test%0d%0aX:%20y/members',
    400,
  ],
  [
    'characters that end as line ends when cut to a byte (CVE-2018-12116)',
    '/_matrix/client/v3/rooms/!ops:hs.test/state/m.x/a%C4%8D%C4%8AX',
    200,
  ],
])('%s', async (_, path, expected) => {
  const text = await s.raw(`GET ${path} HTTP/1.1\r\n${AUTH}\r\n`);
  expect(statuses(text)).toEqual([expected]);
  for (const { url, headers } of s.homeserver.seen) {
    expect(url).toBe('/_matrix/client/v3/rooms/!ops%3Ahs.test/state/m.x/a%C4%8D%C4%8AX');
    expect(headers['x']).toBeUndefined();
  }
});
