import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { download, filesAsked, mediaStage } from '../support/media-room.ts';
import { type Stage, TOKEN, UPSTREAM_TOKEN } from '../support/stage.ts';
import { isPending, realTime, until } from '../../support/wait.ts';
import { GRANT, UPLOAD, MIB, holder, handmade } from '../support/media-holder.ts';

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
