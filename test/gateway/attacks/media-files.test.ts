import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { GrantId, LeaseId } from '../../../src/domain/ids.ts';
import { A, answerWithFiles, BYTES, download, file, filesAsked, mediaStage } from '../support/media-room.ts';
import { OPS } from '../support/grants.ts';
import { type Stage, TOKEN, UPSTREAM_TOKEN } from '../support/stage.ts';
import { isPending, realTime, settled, until } from '../../support/wait.ts';

const GRANT = '7F3K9Q' as GrantId;
const KNOWN = 'mxc://hs.test/known';
const UPLOAD = '/_matrix/media/v3/upload';
const image = {
  event_id: '$1',
  room_id: OPS,
  sender: '@bob:hs.test',
  type: 'm.room.message',
  origin_server_ts: 1,
  content: { url: KNOWN },
};
const MIB = 1_048_576;

/** Waits until a number has not changed for a while. Gives it. */
async function still(count: () => number): Promise<number> {
  for (let last = -1; last !== count() || last === 0;) {
    last = count();
    await settled();
  }
  return count();
}

/** A holder's connection, and what came on it. */
function holder(
  s: Stage,
  head: string,
  options: { deaf?: boolean } = {},
): { socket: Socket; text: () => string; bytes: () => number; closed: () => boolean } {
  const socket = connect(s.gateway.port, '127.0.0.1');
  let text = '';
  let bytes = 0;
  let closed = false;
  if (options.deaf === true) socket.pause();
  else
    socket.on('data', (data) => {
      bytes += data.length;
      if (text.length < 10_000) text += data.toString('latin1');
    });
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  socket.write(head);
  return { socket, text: () => text, bytes: () => bytes, closed: () => closed };
}
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;

/** A homeserver of our own, for what happens while bytes are on their way. */
async function handmade(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('what the homeserver says of a file', () => {
  const told = async (head: Record<string, string>, path = `${A}/download/hs.test/known`) => {
    await using s = await mediaStage([image]);
    answerWithFiles(s, [image], head);
    const { status, headers, text } = await file(s, path);
    expect([status, text]).toEqual([200, BYTES]);
    return headers;
  };

  // CVE-2023-41318 (matrix-media-repo: SVG with a script, served in place), and types that browsers run or
  // guess.
  test.each([
    ['image/svg+xml', 'application/octet-stream'],
    ['text/html', 'application/octet-stream'],
    ['text/HTML; charset=utf-8', 'application/octet-stream'],
    ['application/xhtml+xml', 'application/octet-stream'],
    ['text/javascript', 'application/octet-stream'],
    ['application/pdf', 'application/octet-stream'],
    ['multipart/x-mixed-replace; boundary=x', 'application/octet-stream'],
    ['image/png, text/html', 'application/octet-stream'],
    ['image/png;text/html', 'image/png'],
    ['', 'application/octet-stream'],
    ['IMAGE/PNG', 'image/png'],
    ['video/mp4; codecs="x"', 'video/mp4'],
  ])('type %s: %s', async (said, shown) => {
    const headers = await told({ 'content-type': said, 'content-disposition': 'inline' });
    expect(headers.get('content-type')).toBe(shown);
    expect(headers.get('content-disposition')).toBe('attachment');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
  });

  test.each([
    ['attachment; filename=a.png', "attachment; filename*=UTF-8''a.png"],
    ['inline; filename="../../.bashrc"', "attachment; filename*=UTF-8''_.._.bashrc"],
    [
      "inline; filename*=utf-8''%D0%BA%0D%0AX-Evil%3A%20y",
      "attachment; filename*=UTF-8''%D0%BA__X-Evil_%20y",
    ],
    ["inline; filename*=utf-8''photo%E2%80%AEgpj.exe", "attachment; filename*=UTF-8''photo_gpj.exe"],
    ["inline; filename*=utf-8''%FF", 'attachment'],
  ])('name %s', async (said, shown) => {
    expect((await told({ 'content-disposition': said })).get('content-disposition')).toBe(shown);
  });

  test('a thumbnail is shown in place if it is a picture, and never otherwise', async () => {
    const path = `${A}/thumbnail/hs.test/known?width=1&height=1`;
    expect((await told({ 'content-type': 'image/webp' }, path)).get('content-disposition')).toBe('inline');
    expect((await told({ 'content-type': 'text/plain' }, path)).get('content-disposition')).toBe(
      'attachment',
    );
    expect((await told({ 'content-type': 'image/svg+xml' }, path)).get('content-disposition')).toBe(
      'attachment',
    );
  });

  test('no other header of it passes', async () => {
    const evil = {
      'set-cookie': 'a=b',
      server: 'x/1',
      etag: '"1"',
      location: 'https://cdn.test/signed',
      link: '<https://evil.test>',
      refresh: '0; url=https://evil.test',
      'cache-control': 'public',
      'x-accel-redirect': '/etc/passwd',
      'access-control-allow-credentials': 'true',
      age: '1',
      'accept-ranges': 'bytes',
    };
    const headers = await told({ ...evil, 'content-type': 'image/png' });
    expect(headers.get('cache-control')).toBe('private, no-store');
    for (const name of Object.keys(evil))
      if (name !== 'cache-control') expect([name, headers.get(name)]).toEqual([name, null]);
  });
});

describe('an answer that is no file', () => {
  const json = { 'content-type': 'application/json' };
  test.each([
    ['a redirect to a signed address', 307, { location: 'https://cdn.test/?signature=secret' }, '', 502],
    ['a redirect of another kind', 302, { location: '/_synapse/media/secret' }, '', 502],
    ['a lasting one', 308, { location: 'https://cdn.test/?signature=secret' }, '', 502],
    ['a part of it', 206, { 'content-range': 'bytes 0-1/9' }, 'ab', 502],
    ['nothing', 204, {}, '', 502],
    ['not modified', 304, {}, '', 502],
    ['compressed', 200, { 'content-encoding': 'gzip' }, 'x', 502],
    ['compressed twice', 200, { 'content-encoding': 'identity, br' }, 'x', 502],
    ['too large', 200, { 'content-length': '5000' }, 'x'.repeat(5_000), 502],
    ['not there', 404, json, '{"errcode":"M_NOT_FOUND","error":"secret"}', 404],
    ['refused', 403, json, '{"errcode":"M_FORBIDDEN","error":"secret"}', 404],
    ['not yet there', 504, json, '{"errcode":"M_NOT_YET_UPLOADED","error":"secret"}', 504],
    ['in trouble', 500, { 'content-type': 'text/html' }, '<h1>secret</h1>', 502],
    ['refused in length', 404, json, `{"errcode":"M_NOT_FOUND","error":"${'secret'.repeat(20_000)}"}`, 502],
  ])('%s', async (_, status, head, body, shown) => {
    await using upstream = await handmade((request, response) => {
      if (request.url?.includes('/messages') === true)
        response.writeHead(200, json).end(JSON.stringify({ chunk: [image] }));
      else response.writeHead(status, head as Record<string, string>).end(body);
    });
    await using s = await mediaStage([], ['read'], {
      homeserverUrl: upstream.url,
      limits: { mediaBytes: 4_096 },
    });
    const got = await download(s, KNOWN);
    expect(got.status).toBe(shown);
    expect(got.text).toMatch(/^\{"errcode":"M_/);
    expect(got.text).not.toContain('secret');
    expect(got.headers.get('location')).toBeNull();
    expect(JSON.stringify(s.logged)).not.toContain('secret');
  });

  test('the homeserver’s own M_UNKNOWN_TOKEN: one new lease, one more try', async () => {
    await using s = await mediaStage([image]);
    await s.ask('GET', `/_matrix/client/v3/rooms/${encodeURIComponent(OPS)}/messages?dir=b`);
    s.desk.renewal = { leaseId: 'lease-2' as LeaseId, token: 'syt_new' };
    s.homeserver.answer(({ headers }, response) => {
      if (headers.authorization === 'Bearer syt_new')
        return void response.writeHead(200, { 'content-type': 'image/png' }).end(BYTES);
      return void response.writeHead(401, json).end('{"errcode":"M_UNKNOWN_TOKEN","error":"x"}');
    });
    expect(await download(s, KNOWN)).toMatchObject({ status: 200, text: BYTES });
    expect(s.desk.refused).toEqual(['lease-1']);
  });

  test('that says too little of its length is cut off when it is too much', async () => {
    await using s = await mediaStage([], ['media-any'], { limits: { mediaBytes: MIB } });
    s.homeserver.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png' });
      for (let at = 0; at < 40; at++) response.write(Buffer.alloc(65_536));
      response.end();
    });
    await expect(download(s, KNOWN)).rejects.toThrow('terminated');
  });

  test('that breaks off is cut off, not completed', async () => {
    await using s = await mediaStage([], ['media-any']);
    s.homeserver.answer((_, response) => {
      response
        .writeHead(200, { 'content-type': 'image/png' })
        .write('half', () => void settled().then(() => response.destroy()));
    });
    await expect(download(s, KNOWN)).rejects.toThrow('terminated');
  });

  test('that stops in the middle times out', async () => {
    await using s = await mediaStage([], ['media-any'], { limits: { readTimeoutMs: 200 } });
    s.homeserver.answer(
      (_, response) => void response.writeHead(200, { 'content-type': 'image/png' }).write('half'),
    );
    const startedAt = Date.now();
    await expect(download(s, KNOWN)).rejects.toThrow('terminated');
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });
});

/** A homeserver with a file without end, and how much of it was taken. */
async function endless() {
  const state = { sent: 0, closed: false };
  const upstream = await handmade((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4' });
    response.on('close', () => (state.closed = true));
    const piece = Buffer.alloc(65_536);
    const more = (): void => {
      while (!state.closed) {
        state.sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
    };
    more();
  });
  return { state, ...upstream };
}

describe('a download', () => {
  test('goes no quicker than it is read, and is not held meanwhile', async () => {
    await using upstream = await endless();
    await using s = await mediaStage([], ['media-any'], { homeserverUrl: upstream.url });
    const slow = holder(s, get(`${A}/download/hs.test/known`), { deaf: true });
    await until(() => upstream.state.sent > 0);
    const before = await still(() => upstream.state.sent);
    await settled();
    expect(upstream.state.sent).toBe(before);
    // What sockets hold, on both sides.
    expect(before).toBeLessThan(16 * MIB);
    let read = 0;
    slow.socket.on('data', (data) => (read += data.length));
    slow.socket.resume();
    await until(() => read > 32 * MIB);
    expect(upstream.state.sent).toBeGreaterThan(before);
    slow.socket.destroy();
    await until(() => upstream.state.closed);
  });

  test.each(['invalid', 'suspended'] as const)(
    'is cut off when the grant is %s, and so is the homeserver',
    async (how) => {
      await using upstream = await endless();
      await using s = await mediaStage([], ['media-any'], { homeserverUrl: upstream.url });
      const reader = holder(s, get(`${A}/download/hs.test/known`));
      await until(() => reader.bytes() > MIB);
      s.desk.end(GRANT, how);
      await until(() => reader.closed() && upstream.state.closed, 1_000);
      expect(reader.text()).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  test('that ended before its first byte is answered as ended', async () => {
    await using s = await mediaStage([], ['media-any']);
    const asked = Promise.withResolvers<void>();
    s.homeserver.answer(() => asked.resolve());
    const got = download(s, KNOWN);
    await asked.promise;
    s.desk.end(GRANT);
    expect(await got).toMatchObject({ status: 401 });
  });

  test('counts among the grant’s requests until it is read, and no longer counts once the holder is gone', async () => {
    await using upstream = await endless();
    await using s = await mediaStage([], ['media-any'], {
      homeserverUrl: upstream.url,
      limits: { concurrentPerGrant: 2 },
    });
    const readers = [1, 2].map(() => holder(s, get(`${A}/download/hs.test/known`), { deaf: true }));
    await still(() => upstream.state.sent);
    expect((await s.ask('GET', '/_matrix/client/v3/joined_rooms')).status).toBe(429);
    for (const { socket } of readers) socket.destroy();
    await expect.poll(async () => (await s.ask('GET', '/_matrix/client/v3/account/whoami')).status).toBe(200);
  });

  test('that nobody reads ends', async () => {
    await using upstream = await endless();
    await using s = await mediaStage([], ['media-any'], {
      homeserverUrl: upstream.url,
      limits: { readTimeoutMs: 300 },
    });
    holder(s, get(`${A}/download/hs.test/known`), { deaf: true });
    await until(() => upstream.state.sent > 0);
    await until(() => upstream.state.closed, 5_000);
  });
});

describe('an upload', () => {
  const put = (
    s: Stage,
    body: string,
    headers: Record<string, string> = {},
    path = UPLOAD,
    method = 'POST',
  ) => s.ask(method, path, { body, headers });

  test('is passed on with a plain type and its length, and nothing else of the request', async () => {
    await using s = await mediaStage([], ['upload']);
    const got = await put(
      s,
      'the file',
      {
        'content-type': 'Image/PNG; name="x"',
        'content-disposition': 'attachment',
        cookie: 'a=b',
        'x-forwarded-for': '1.2.3.4',
      },
      `${UPLOAD}?filename=secret.png&user_id=@bob:hs.test`,
    );
    expect(got).toMatchObject({ status: 200, body: { content_uri: 'mxc://hs.test/uploaded' } });
    const [seen, ...more] = s.homeserver.seen;
    expect(more).toEqual([]);
    expect(seen).toMatchObject({ method: 'POST', url: UPLOAD, body: 'the file' });
    expect(seen?.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': '8',
      authorization: `Bearer ${UPSTREAM_TOKEN}`,
    });
    expect(Object.keys(seen?.headers ?? {}).toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ]);
  });

  // CVE-2024-52805 (Synapse took forms apart in memory), and types that are none.
  test.each([
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'message/rfc822',
    'x',
    'a/b/c',
    'text/"html"',
    'té/xt',
    '',
  ])('of type %j is bytes', async (type) => {
    await using s = await mediaStage([], ['upload']);
    const head = `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 1\r\nContent-Type: ${type}\r\n\r\nx`;
    expect(await s.raw(Buffer.from(head, 'latin1'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(s.homeserver.seen[0]?.headers['content-type']).toBe('application/octet-stream');
  });

  test.each([
    ['without its length', 'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n', 411],
    ['with two lengths', 'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400],
    [
      'with a length and in chunks',
      'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
      400,
    ],
    ['of a length that is none', 'Content-Length: 1e1\r\n\r\nx', 400],
    ['that is too large', 'Content-Length: 1001\r\n\r\nx', 413],
    ['that is compressed', 'Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx', 415],
  ])('%s is refused, and the homeserver not asked', async (_, rest, status) => {
    await using s = await mediaStage([], ['upload'], { limits: { uploadBytes: 1_000 } });
    expect(
      await s.raw(`POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n${rest}`),
    ).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(s.homeserver.seen).toEqual([]);
  });

  test('without the capability is refused before any of it is read', async () => {
    await using s = await mediaStage([], ['read', 'send', 'media-any']);
    for (const [method, path] of [
      ['POST', UPLOAD],
      ['PUT', `${UPLOAD}/hs.test/x`],
      ['POST', '/_matrix/media/v1/create'],
    ] as const)
      expect(await put(s, 'x', {}, path, method)).toMatchObject({
        status: 403,
        body: { errcode: 'M_FORBIDDEN' },
      });
    expect(s.homeserver.seen).toEqual([]);
  });

  test('goes at the pace of what others are told, of which making addresses takes as well', async () => {
    await using s = await mediaStage([], ['upload'], { limits: { writesAtOnce: 3 } });
    expect((await put(s, 'x')).status).toBe(200);
    expect((await put(s, '', {}, '/_matrix/media/v1/create')).status).toBe(200);
    expect((await put(s, 'x')).status).toBe(200);
    expect((await put(s, 'x')).status).toBe(429);
    expect((await put(s, '', {}, '/_matrix/media/v1/create')).status).toBe(429);
    expect(s.homeserver.seen).toHaveLength(3);
  });

  test('opens what it made, to this grant', async () => {
    await using s = await mediaStage([], ['read', 'upload']);
    expect((await download(s, 'mxc://hs.test/uploaded')).status).toBe(403);
    await put(s, 'x');
    expect((await download(s, 'mxc://hs.test/uploaded')).status).toBe(200);
    expect(filesAsked(s)).toHaveLength(1);
  });

  test('to an address goes only where this grant made it, and once', async () => {
    await using s = await mediaStage([], ['read', 'upload']);
    expect((await put(s, 'x', {}, `${UPLOAD}/hs.test/created`, 'PUT')).status).toBe(403);
    expect((await put(s, 'x', {}, `${UPLOAD}/hs.test/..%2Fx`, 'PUT')).status).toBe(400);
    expect(s.homeserver.seen).toEqual([]);
    expect(await put(s, '{"junk":1}', {}, '/_matrix/media/v1/create')).toMatchObject({
      body: { content_uri: 'mxc://hs.test/created' },
    });
    expect(s.homeserver.seen[0]).toMatchObject({ method: 'POST', url: '/_matrix/media/v1/create', body: '' });
    expect((await download(s, 'mxc://hs.test/created')).status).toBe(403);
    expect((await put(s, 'x', {}, `${UPLOAD}/hs.test/created`, 'PUT')).status).toBe(200);
    expect((await put(s, 'y', {}, `${UPLOAD}/hs.test/created`, 'PUT')).status).toBe(403);
    expect((await download(s, 'mxc://hs.test/created')).status).toBe(200);
    expect(s.homeserver.seen.filter(({ method }) => method === 'PUT')).toMatchObject([
      { url: `${UPLOAD}/hs.test/created`, body: 'x' },
    ]);
  });

  test.each([
    {},
    [],
    { content_uri: 'https://evil.test/x' },
    { content_uri: 'mxc://hs.test/../x' },
    { content_uri: 5 },
  ])('an answer that is no address is not passed on: %j', async (answer) => {
    await using s = await mediaStage([], ['upload']);
    s.homeserver.answer(() => answer);
    expect((await put(s, 'x')).status).toBe(502);
    expect((await put(s, '', {}, '/_matrix/media/v1/create')).status).toBe(502);
  });

  test('that the homeserver does not take is told so, in words of our own', async () => {
    await using s = await mediaStage([], ['upload']);
    const answer = (status: number, errcode: string) =>
      s.homeserver.answer(
        (_, response) =>
          void response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify({ errcode, error: 'secret' })),
      );
    for (const [status, errcode, shown] of [
      [413, 'M_TOO_LARGE', 413],
      [403, 'M_FORBIDDEN', 403],
      [429, 'M_LIMIT_EXCEEDED', 429],
      [500, 'M_UNKNOWN', 502],
      [401, 'M_UNKNOWN_TOKEN', 503],
      [307, 'x', 502],
    ] as const) {
      answer(status, errcode);
      const got = await put(s, 'x');
      expect([status, got.status]).toEqual([status, shown]);
      expect(JSON.stringify(got.body)).not.toContain('secret');
    }
  });

  test('goes no quicker than the homeserver takes it, and is not held meanwhile', async () => {
    await using upstream = await handmade((request) => void request.pause());
    await using s = await mediaStage([], ['upload'], { homeserverUrl: upstream.url });
    const sender = holder(
      s,
      `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${50 * MIB}\r\n\r\n`,
    );
    let written = 0;
    const piece = Buffer.alloc(65_536);
    let stuck = false;
    while (written < 50 * MIB && !stuck) {
      written += piece.length;
      if (!sender.socket.write(piece)) stuck = await isPending(once(sender.socket, 'drain'));
    }
    expect(stuck).toBe(true);
    expect(written).toBeLessThan(24 * MIB);
    sender.socket.destroy();
  });

  test.each(['over', 'gone', 'silent'] as const)(
    'whose %s grant or holder breaks it off leaves the homeserver with half of it',
    async (how) => {
      let whole = false;
      let broken = false;
      let bytes = 0;
      await using upstream = await handmade((request) => {
        request.on('data', (data: Buffer) => (bytes += data.length));
        request.on('end', () => (whole = true));
        request.on('close', () => (broken = !request.complete));
        request.on('error', () => undefined);
      });
      await using s = await mediaStage([], ['upload'], {
        homeserverUrl: upstream.url,
        limits: { readTimeoutMs: how === 'silent' ? 300 : 60_000, requestTimeoutMs: 200 },
      });
      const sender = holder(
        s,
        `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50_000)}`,
      );
      await until(() => bytes > 40_000);
      // Longer than any other request's body may take.
      if (how !== 'silent') await realTime(400);
      expect(broken).toBe(how === 'silent' ? broken : false);
      if (how === 'over') s.desk.end(GRANT);
      if (how === 'gone') sender.socket.destroy();
      await until(() => broken, 2_000);
      expect(whole).toBe(false);
      if (how === 'over') await until(() => sender.text().includes('M_UNKNOWN_TOKEN'));
      if (how === 'silent') await until(() => sender.text().startsWith('HTTP/1.1 408 '));
      await until(() => sender.closed());
    },
  );
});

test('a body that is no file has no more time than before', async () => {
  await using s = await mediaStage([], ['read'], { limits: { requestTimeoutMs: 200 } });
  const slow = holder(
    s,
    `POST /_matrix/client/v3/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\n{`,
  );
  const unknown = holder(s, `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
  await until(() => slow.closed() && unknown.closed(), 2_000);
});
