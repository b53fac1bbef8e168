import { describe, expect, test } from 'vitest';
import type { LeaseId } from '../../../src/domain/ids.ts';
import { A, answerWithFiles, BYTES, download, file, mediaStage } from '../support/media-room.ts';
import { OPS } from '../support/grants.ts';
import { settled, until } from '../../support/wait.ts';
import { GRANT, KNOWN, image, MIB, still, holder, get, handmade, endless } from '../support/media-holder.ts';

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
