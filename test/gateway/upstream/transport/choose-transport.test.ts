import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { chooseTransport, isLean } from '../../../../src/gateway/upstream/transport/choose-transport.ts';
import { rawHomeserver } from './raw-homeserver.ts';
import { ask } from './recorder.ts';

const PROXY = { http_proxy: 'http://proxy.test:3128' };

test.each([
  ['plain http', 'http://hs.test:8008', 'auto', {}, true],
  ['plain http, and undici asked for', 'http://hs.test:8008', 'undici', {}, false],
  ['https', 'https://hs.test', 'auto', {}, false],
  ['a proxy that Node is not told to use', 'http://hs.test', 'auto', PROXY, true],
  ['told to use one, of which there is none', 'http://hs.test', 'auto', { NODE_USE_ENV_PROXY: '1' }, true],
  ['a proxy', 'http://hs.test', 'auto', { ...PROXY, NODE_USE_ENV_PROXY: '1' }, false],
  ['a proxy, by an option', 'http://hs.test', 'auto', { ...PROXY, NODE_OPTIONS: '--use-env-proxy' }, false],
] as const)('%s', (_title, url, setting, environment, lean) => {
  expect(isLean(url, setting, environment)).toBe(lean);
});

test('a proxy is gone through, except for hosts that it is not for', async () => {
  await using homeserver = await rawHomeserver();
  homeserver.answer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect'));
  const proxied: IncomingMessage[] = [];
  const proxy = createServer((request, response) => {
    proxied.push(request);
    response.end('by proxy');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  for (const [no_proxy, body] of [
    ['', 'by proxy'],
    ['127.0.0.1', 'direct'],
  ] as const) {
    vi.stubEnv('http_proxy', http_proxy);
    vi.stubEnv('no_proxy', no_proxy);
    const transport = chooseTransport(homeserver.url, 'auto', { http_proxy, NODE_USE_ENV_PROXY: '1' });
    expect((await ask(transport).over).body).toBe(body);
    await transport.close();
    vi.unstubAllEnvs();
  }
  expect(proxied.map(({ url }) => url)).toEqual([`${homeserver.url}/x`]);
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});
