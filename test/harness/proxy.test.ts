import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerWith, cut, delay, garbage, hold, startProxy, truncate } from './proxy.ts';

const asked: string[] = [];
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ url: request.url, text: 'x'.repeat(100) }));
  });
});
let target = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const post = (url: string): Promise<Response> => fetch(url, { method: 'POST', body: '{"a":1}' });

test('passes everything on and writes it down', async () => {
  await using proxy = await startProxy(target);
  expect(await (await post(`${proxy.baseUrl}/a%2Fb?c=d`)).json()).toMatchObject({ url: '/a%2Fb?c=d' });
  expect(proxy.requests).toMatchObject([{ method: 'POST', path: '/a%2Fb', body: '{"a":1}', status: 200 }]);
});

test('cuts before the homeserver is asked, or after it has done the work', async () => {
  await using proxy = await startProxy(target);
  proxy.on({ method: 'POST', path: '/never' }, cut('before'));
  proxy.on({ method: 'POST', path: /^\/done$/ }, cut('after'));
  await expect(post(`${proxy.baseUrl}/never`)).rejects.toThrow('fetch failed');
  await expect(post(`${proxy.baseUrl}/done`)).rejects.toThrow('fetch failed');
  expect(asked).not.toContain('POST /never');
  expect(asked).toContain('POST /done');
  expect((await fetch(`${proxy.baseUrl}/done`)).status).toBe(200);
});

test('answers in the place of the homeserver, a limited number of times', async () => {
  await using proxy = await startProxy(target);
  const fault = proxy.on({ path: '/x' }, answerWith(500, { errcode: 'M_UNKNOWN' }), { skip: 1, times: 1 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`${proxy.baseUrl}/x`)).status);
  expect(statuses).toEqual([200, 500, 200]);
  expect(fault.hits).toBe(1);
});

test('sends garbage and half answers', async () => {
  await using proxy = await startProxy(target);
  proxy.on({ path: '/garbage' }, garbage());
  proxy.on({ path: '/half' }, truncate());
  await expect(fetch(`${proxy.baseUrl}/garbage`)).rejects.toThrow('fetch failed');
  const half = await fetch(`${proxy.baseUrl}/half`);
  expect(half.status).toBe(200);
  await expect(half.text()).rejects.toThrow('terminated');
});

test('holds a request until it is released', async () => {
  await using proxy = await startProxy(target);
  const fault = proxy.on({ path: '/held' }, hold('after'));
  let answered = false;
  const answer = fetch(`${proxy.baseUrl}/held`).finally(() => (answered = true));
  expect((await fault.reached).status).toBe(200);
  expect(asked).toContain('GET /held');
  expect(answered).toBe(false);
  fault.release();
  expect((await answer).status).toBe(200);
});

test('does not ask the homeserver for a request that is held before and given up', async () => {
  await using proxy = await startProxy(target);
  const fault = proxy.on({ path: '/given-up' }, hold('before'));
  const giveUp = new AbortController();
  const answer = fetch(`${proxy.baseUrl}/given-up`, { signal: giveUp.signal });
  expect((await fault.reached).status).toBeNull();
  giveUp.abort();
  await expect(answer).rejects.toThrow('aborted');
  await expect.poll(() => proxy.requests[0]?.abandoned).toBe(true);
  fault.release();
  await fetch(`${proxy.baseUrl}/later`);
  expect(asked).not.toContain('GET /given-up');
});

test('delays', async () => {
  await using proxy = await startProxy(target);
  proxy.on(() => true, delay(150));
  const began = Date.now();
  await fetch(proxy.baseUrl);
  expect(Date.now() - began).toBeGreaterThanOrEqual(145);
});

test('cuts everything after a number of requests', async () => {
  await using proxy = await startProxy(target);
  proxy.cutAfter(2);
  await fetch(proxy.baseUrl);
  await fetch(proxy.baseUrl);
  await expect(fetch(proxy.baseUrl)).rejects.toThrow('fetch failed');
  await expect(fetch(proxy.baseUrl)).rejects.toThrow('fetch failed');
  proxy.heal();
  expect((await fetch(proxy.baseUrl)).status).toBe(200);
});

test('refuses connections and accepts them again on the same port', async () => {
  await using proxy = await startProxy(target);
  await proxy.refuseConnections();
  await expect(fetch(proxy.baseUrl)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  await proxy.acceptConnections();
  expect((await fetch(proxy.baseUrl)).status).toBe(200);
});
