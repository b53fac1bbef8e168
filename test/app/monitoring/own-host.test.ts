import { request } from 'node:http';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { startMonitoringServer } from '../../../src/app/monitoring/listener.ts';
import { isOwnHost } from '../../../src/app/monitoring/own-host.ts';

const HOSTS = ['mint-1.example.org'];

test.each([
  undefined,
  '127.0.0.1',
  '127.0.0.1:9464',
  '10.2.3.4:9464',
  '[::1]:9464',
  '[fd00::7]',
  'localhost:9464',
  'mintwarden:9464',
  'mintwarden.default.svc:9464',
  'mintwarden.default.svc.cluster.local',
  'mint.internal',
  'MINT-1.example.org:9464',
  'mint-1.example.org.',
  hostname(),
])('asked for as %s it answers', (host) => {
  expect(isOwnHost(host, HOSTS)).toBe(true);
});

test.each([
  'evil.example',
  'evil.example:9464',
  '127.0.0.1.nip.io',
  'localhost.evil.example',
  'mint-1.example.org.evil.example',
  'evil.svc.example',
  '1.2.3',
  'user@localhost.evil.example',
])('asked for as %s it does not', (host) => {
  expect(isOwnHost(host, HOSTS)).toBe(false);
});

test('a page that makes a browser ask under its own name reads nothing', async () => {
  const asked: string[] = [];
  const server = await startMonitoringServer(
    { host: '127.0.0.1', port: 0, hosts: HOSTS },
    {
      notReady: async () => [],
      metrics: async () => {
        asked.push('metrics');
        return 'secret_total 1';
      },
    },
  );
  const ask = (host: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { host };
      request({ host: '127.0.0.1', port: server.port, path: '/metrics', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  expect(await ask('evil.example')).toBe(421);
  expect(asked).toEqual([]);
  expect(await ask('mint-1.example.org')).toBe(200);
  expect(await ask(`127.0.0.1:${String(server.port)}`)).toBe(200);
  await server.close();
});
