import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { homeserverTime } from '../../src/app/homeserver-time.ts';

const HOUR = 3_600_000;

async function asked(headers: Record<string, string>): Promise<number | null> {
  const server = createServer((request, response) => {
    expect(request.headers['cache-control']).toBe('no-cache');
    response.writeHead(200, headers).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await homeserverTime(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const ago = (ms: number): string => new Date(Date.now() - ms).toUTCString();
const off = (at: number | null): number => Math.abs((at ?? 0) - Date.now());

test('a cache before the homeserver does not make its clock an hour old', async () => {
  expect(off(await asked({ date: ago(0) }))).toBeLessThan(5_000);
  expect(off(await asked({ date: ago(HOUR), age: '3600' }))).toBeLessThan(5_000);
});

test('what makes no sense is no time', async () => {
  expect(await asked({ date: 'yesterday' })).toBeNull();
  expect(await asked({ date: ago(0), age: '-3600' })).toBeNull();
  expect(await asked({ date: ago(0), age: '9e99' })).toBeNull();
});
