import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OPS, SECRET } from '../support/grants.ts';
import { type Stage, stage, TOKEN } from '../support/stage.ts';

// Headers that other services trust, and who is asking; more of where requests end stands in
// smuggling.test.ts. Advisories looked at: CVE-2025-64484 (oauth2-proxy: an underscore for a dash),
// CVE-2026-40575 (oauth2-proxy: X-Forwarded-Uri is believed), CVE-2026-34457 (oauth2-proxy: a health check's
// user agent opens everything), CVE-2023-27491 (Envoy: invalid headers are passed on), CVE-2019-9900 (Envoy:
// NUL), RFC 9112 section 11.2.

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
  s.homeserver.answer(() => ({ chunk: [] }));
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const AUTH = `Host: x\r\nAuthorization: Bearer ${TOKEN}\r\n`;
const IN = `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/members`;
const SMUGGLED = `GET /_matrix/client/v3/rooms/${encodeURIComponent(SECRET)}/members HTTP/1.1\r\n${AUTH}\r\n`;
const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

describe('messages whose end could be read in two ways', () => {
  test.each([
    [
      'length and chunked',
      `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'two lengths',
      `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length: 0\r\nContent-Length: 10\r\n\r\n${SMUGGLED}`,
    ],
    ['a length of two', `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length: 0, 10\r\n\r\n${SMUGGLED}`],
    ['a length with a sign', `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length: +0\r\n\r\n${SMUGGLED}`],
    ['a length in hexadecimal', `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length: 0x0\r\n\r\n${SMUGGLED}`],
    [
      'chunked twice',
      `POST ${IN} HTTP/1.1\r\n${AUTH}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'an encoding nobody knows',
      `POST ${IN} HTTP/1.1\r\n${AUTH}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['a space before the colon', `POST ${IN} HTTP/1.1\r\n${AUTH}Content-Length : 0\r\n\r\n${SMUGGLED}`],
    ['a bare line feed', `POST ${IN} HTTP/1.1\n${AUTH}Transfer-Encoding: chunked\n\n0\r\n\r\n${SMUGGLED}`],
    [
      'a chunk size that is none',
      `POST ${IN} HTTP/1.1\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n0x1\r\n\r\n${SMUGGLED}`,
    ],
    ['a NUL in a header', `GET ${IN} HTTP/1.1\r\n${AUTH}X: a\0b\r\n\r\n`],
    ['no host', `GET ${IN} HTTP/1.1\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`],
    ['two hosts', `GET ${IN} HTTP/1.1\r\nHost: a\r\n${AUTH}\r\n`],
    ['two versions', `GET ${IN} HTTP/1.1 HTTP/1.1\r\n${AUTH}\r\n`],
    ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'an upgrade',
      `GET ${IN} HTTP/1.1\r\n${AUTH}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SMUGGLED}`,
    ],
    ['too many bytes', `GET ${IN} HTTP/1.1\r\n${AUTH}X: ${'x'.repeat(40_000)}\r\n\r\n`],
  ])('%s: one refusal, nothing upstream', async (_, bytes) => {
    const text = await s.raw(bytes);
    expect(statuses(text)).toHaveLength(1);
    expect([400, 404, 431]).toContain(statuses(text)[0]);
    expect(text).not.toContain(TOKEN);
    expect(s.homeserver.seen).toEqual([]);
  });

  // curl --http2 and Java's client; RFC 9110, 7.8.
  test('an offer of HTTP/2 is ignored, and what is sent as if it were taken is not read', async () => {
    const offer = `${AUTH}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n`;
    for (const behind of ['', SMUGGLED, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
      s.homeserver.seen.length = 0;
      const text = await s.raw(`GET ${IN} HTTP/1.1\r\n${offer}\r\n${behind}`);
      expect(statuses(text)).toEqual([200]);
      expect(text).toMatch(/connection: close/i);
      expect(text).not.toMatch(/upgrade|HTTP\/2/i);
      expect(s.homeserver.seen).toHaveLength(1);
    }
    s.homeserver.seen.length = 0;
    const posted = await s.raw(
      `POST /_matrix/client/v3/user/@alice:hs.test/filter HTTP/1.1\r\n${offer}Content-Length: 2\r\n\r\n{}${SMUGGLED}`,
    );
    expect(statuses(posted)).toEqual([200]);
    for (const bad of [
      'Upgrade: h2c, websocket',
      'Upgrade: websocket, h2c',
      'Upgrade: h2c\r\nUpgrade: websocket',
      'Upgrade: h2',
    ])
      expect(
        statuses(
          await s.raw(`GET ${IN} HTTP/1.1\r\n${AUTH}Connection: Upgrade\r\n${bad}\r\n\r\n${SMUGGLED}`),
        ),
      ).toEqual([400]);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('a body on a GET is read as a body, not as a request', async () => {
    const text = await s.raw(
      `GET ${IN} HTTP/1.1\r\n${AUTH}Content-Length: ${SMUGGLED.length}\r\nConnection: close\r\n\r\n${SMUGGLED}`,
    );
    expect(statuses(text)).toEqual([200]);
    expect(s.homeserver.seen).toHaveLength(1);
    expect(s.homeserver.seen[0]).toMatchObject({ method: 'GET', body: '' });
  });

  test('two requests in a row are judged one by one', async () => {
    const text = await s.raw(`GET ${IN} HTTP/1.1\r\n${AUTH}\r\n${SMUGGLED}`);
    expect(statuses(text)).toEqual([200, 403]);
    expect(s.homeserver.seen).toHaveLength(1);
  });
});

describe('who is asking', () => {
  test.each([
    ['two tokens', `Authorization: Bearer ${TOKEN}\r\nAuthorization: Bearer other\r\n`, 400],
    ['a folded header', `Authorization: Bearer\r\n ${TOKEN}\r\n`, 0],
    ['another scheme', `Authorization: Basic ${TOKEN}\r\n`, 401],
    ['two spaces', `Authorization: Bearer  ${TOKEN}\r\n`, 401],
    ['two in one', `Authorization: Bearer ${TOKEN}, Bearer other\r\n`, 401],
    ['a cookie', `Cookie: access_token=${TOKEN}\r\n`, 401],
    ['none', '', 401],
  ])('%s', async (_, header, expected) => {
    const text = await s.raw(`GET ${IN} HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
    const [status] = statuses(text);
    if (expected === 0) expect([400, 401]).toContain(status);
    else expect(status).toBe(expected);
    expect(text).not.toContain(TOKEN);
    expect(s.homeserver.seen).toEqual([]);
  });

  test('headers that say otherwise are not believed and not passed on', async () => {
    const lies = [
      'X-Original-URL: /_synapse/admin/v1/x',
      'X-HTTP-Method-Override: PUT',
      'X-Forwarded-For: 127.0.0.1',
      'Forwarded: for=127.0.0.1',
      'X_Forwarded_For: 127.0.0.1', // CVE-2025-64484
      'X-Forwarded_Proto: https',
      `X-Forwarded-Uri: /_matrix/client/v3/rooms/${encodeURIComponent(SECRET)}/members`, // CVE-2026-40575
      'X-Rewrite-URL: /_synapse/admin/v1/x',
      'User-Agent: GoogleHC/1.0', // CVE-2026-34457
      'X-Matrix-User: @bob:hs.test',
      'X-Auth-Request-User: bob',
      'Connection: Authorization',
    ];
    await s.raw(`GET ${IN} HTTP/1.1\r\n${AUTH}${lies.join('\r\n')}\r\n\r\n`);
    expect(s.homeserver.seen).toHaveLength(1);
    expect(s.homeserver.seen[0]?.method).toBe('GET');
    expect(
      Object.keys(s.homeserver.seen[0]?.headers ?? {}).filter((name) =>
        /forward|original|override|cookie|rewrite|auth-|matrix|_/.test(name),
      ),
    ).toEqual([]);
    expect(s.homeserver.seen[0]?.headers.authorization).not.toContain(TOKEN);
  });
});
