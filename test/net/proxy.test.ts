import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { proxyFinding } from '../../src/app/doctor/homeserver.ts';
import { createHttp } from '../../src/issuers/synapse/http.ts';
import { createDispatcher } from '../../src/net/dispatcher.ts';
import { proxySentence, usesProxy } from '../../src/net/proxy.ts';

const PROXY = { https_proxy: 'http://joe:secret@proxy.test:3128' };
const TOLD = { NODE_USE_ENV_PROXY: '1' };

test.each([
  [{}, false, 'direct', /made directly\.$/],
  [TOLD, false, 'direct', /made directly\.$/],
  [PROXY, false, 'ignored', /directly, though a proxy is named \(https_proxy=proxy\.test:3128\)/],
  [{ ...PROXY, ...TOLD }, true, 'proxy', /through a proxy \(https_proxy=proxy\.test:3128\)\.$/],
  [{ ...PROXY, NODE_OPTIONS: '--use-env-proxy' }, true, 'proxy', /through a proxy/],
  [
    { HTTP_PROXY: 'proxy.test', ...TOLD, no_proxy: 'localhost' },
    true,
    'proxy',
    /=proxy\.test\), but for localhost\.$/,
  ],
] as const)('%j', (environment, isUsed, kind, says) => {
  expect(usesProxy(environment)).toBe(isUsed);
  const said = proxySentence(environment);
  expect(said).toMatchObject({ kind, sentence: expect.stringMatching(says) });
  expect(said.sentence).not.toContain('secret');
});

test.each([
  ['https:', {}, 'ok'],
  ['https:', PROXY, 'warn'],
  ['https:', { ...PROXY, ...TOLD }, 'ok'],
  ['http:', { ...PROXY, ...TOLD }, 'warn'],
] as const)('doctor on %s with %j: %s', (protocol, environment, severity) => {
  expect(proxyFinding(protocol, environment)).toMatchObject({ id: 'proxy', severity });
});

/** A proxy that tunnels (CONNECT) and forwards, and notes for whom. */
async function startForwardProxy(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(new URL(request.url ?? '').host);
    response.end('{"by":"proxy"}');
  });
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`, asked };
}

async function startHomeserver(): Promise<string> {
  const server = createServer((_, response) => response.end('{"by":"homeserver"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

test('every client of the homeserver follows the one rule', async () => {
  const [proxy, homeserver] = [await startForwardProxy(), await startHomeserver()];
  const { host, origin } = new URL(homeserver);
  const clients = {
    admin: async () => {
      const http = createHttp({ homeserverUrl: homeserver, timeoutMs: 5_000 });
      await http.ask({ method: 'GET', path: '/x' });
      await http.close();
    },
    files: async () => {
      const dispatcher = createDispatcher(origin, { connections: null });
      const { body } = await dispatcher.request({ origin, path: '/x', method: 'GET' });
      await body.dump();
      await dispatcher.close();
    },
    chat: async () => {
      vi.resetModules();
      const { createHomeserverClient } = await import('../../src/matrix/homeserver.ts');
      const client = createHomeserverClient({ homeserverUrl: homeserver, accessToken: null });
      await client.request('GET', '/x');
    },
  };
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('http_proxy', proxy.url);
  vi.stubEnv('no_proxy', '');
  for (const ask of Object.values(clients)) await ask();
  expect(proxy.asked).toEqual([]);
  vi.stubEnv('NODE_USE_ENV_PROXY', '1');
  for (const ask of Object.values(clients)) await ask();
  expect(proxy.asked).toEqual([host, host, host]);
  vi.stubEnv('no_proxy', '127.0.0.1');
  for (const ask of [clients.admin, clients.files]) await ask();
  expect(proxy.asked).toHaveLength(3);
});
