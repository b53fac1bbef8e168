import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { toRefusal } from '../../src/matrix/homeserver-errors.ts';
import { createHomeserverClient, path } from '../../src/matrix/homeserver.ts';

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('what an answer means', () => {
  test.each([
    [500, {}, 'homeserver-unreachable'],
    [502, null, 'homeserver-unreachable'],
    [429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1500 }, 'homeserver-unreachable'],
    [403, { errcode: 'M_FORBIDDEN' }, 'homeserver-refused'],
    [404, { errcode: 'M_NOT_FOUND' }, 'homeserver-refused'],
    [401, { errcode: 'M_UNKNOWN_TOKEN' }, 'homeserver-refused'],
    [413, { errcode: 'M_TOO_LARGE' }, 'homeserver-refused'],
  ])('%i %j', (status, body, code) => {
    expect(toRefusal({ status, body }).code).toBe(code);
  });

  test('says how long to wait, and what to do about a dead token', () => {
    expect(
      toRefusal({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1500 } }).hint,
    ).toContain('2 s');
    expect(toRefusal({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } }).hint).toContain(
      'mintwarden init',
    );
  });

  test('the homeserver’s own words are not repeated: they may quote what was sent', () => {
    const error = toRefusal({ status: 400, body: { errcode: 'M_BAD_JSON', error: 'near "mwt_secret"' } });
    expect(JSON.stringify([error.message, error.hint])).not.toContain('mwt_secret');
    expect(toRefusal({ status: 400, body: { errcode: 'evil\nline mwt_secret' } }).message).not.toContain(
      'mwt_secret',
    );
  });
});

describe('asking', () => {
  test('answers that are no JSON object, and redirects, are nonsense; the token follows none', async () => {
    const elsewhere: string[] = [];
    await using target = await serve((request, response) => {
      elsewhere.push(String(request.headers.authorization));
      response.end('{}');
    });
    await using server = await serve((request, response) => {
      if (request.url?.startsWith('/_matrix/client/v3/redirect') === true)
        response.writeHead(302, { location: target.url });
      response.end(request.url === '/_matrix/client/v3/array' ? '[]' : '<html>');
    });
    const homeserver = createHomeserverClient({ homeserverUrl: `${server.url}/`, accessToken: 'secret' });
    await expect(homeserver.request('GET', path`/page`)).rejects.toMatchObject({
      code: 'homeserver-invalid-response',
    });
    await expect(homeserver.request('GET', path`/array`)).rejects.toMatchObject({
      code: 'homeserver-invalid-response',
    });
    await expect(homeserver.request('GET', path`/redirect`)).rejects.toMatchObject({
      code: 'homeserver-invalid-response',
    });
    expect(elsewhere).toEqual([]);
    expect(await homeserver.requestList('GET', path`/array`)).toEqual([]);
  });

  test('silence ends', async () => {
    await using server = await serve(() => undefined);
    const homeserver = createHomeserverClient({ homeserverUrl: server.url, accessToken: null });
    await expect(homeserver.request('GET', path`/x`, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'homeserver-unreachable',
    });
  });

  test('ids cannot leave their place in the path', () => {
    expect(path`/rooms/${'!a/../b?x#y'}/state`).toBe('/_matrix/client/v3/rooms/!a%2F..%2Fb%3Fx%23y/state');
  });
});
