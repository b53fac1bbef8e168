import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/domain/capability.ts';
import type { GrantId } from '../../../src/domain/ids.ts';
import { createServices } from '../../../src/gateway/compose.ts';
import { createPipeline } from '../../../src/gateway/pipeline.ts';
import type { GatewayServices } from '../../../src/gateway/request/services.ts';
import { until } from '../../support/wait.ts';
import { grantDesk } from '../support/grant-desk.ts';
import { grantOf, OPS } from '../support/grants.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import { answer, pause, random, requestOf, soon } from '../support/unreliable.ts';

// Holders that leave, bodies that break off, grants that end, a homeserver that fails in every way, and everything
// that may be known at once or later, later: each request comes to one end, and nothing of it is left.

const FOR_MS = 10_000;
const HOLDERS = 20;
async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

test('whatever is interrupted: each request ends once, nothing is held afterwards, no ended grant is served', async () => {
  const homeserver = createServer((request, response) => {
    request.resume().on('end', () => void answer(request.url ?? '', response));
  });
  const desk = grantDesk('syt_upstream');
  const real = { ...desk };
  desk.verifyToken = (token) => soon(() => real.verifyToken(token) as never);
  desk.upstreamToken = (grantId) => soon(() => real.upstreamToken(grantId) as never);
  desk.countUse = async (grantId) => soon(() => real.countUse(grantId));
  desk.replaceUpstreamToken = async (grantId) => {
    await pause(20);
    if (random.chance(0.3)) throw new TypeError('nobody expected that');
    return random.chance(0.7) ? real.upstreamToken(grantId) : random.pick(['gone', 'unavailable']);
  };

  const ended = new Set<unknown>();
  const servedThoughEnded: unknown[] = [];
  const write = (event: string, data: Readonly<Record<string, unknown>> = {}): void => {
    if (event === 'request' && data['status'] === 200 && ended.has(data['grant']))
      servedThoughEnded.push(data['operation']);
  };
  const slots = new Map<GrantId, number>();
  const count = (grantId: GrantId, by: number): void =>
    void slots.set(grantId, (slots.get(grantId) ?? 0) + by);
  let polling = 0;
  let over = 0;
  const { services, close } = createServices({
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: `http://127.0.0.1:${await listening(homeserver)}`,
    publicUrl: 'https://gateway.test',
    accessControl: desk,
    sentence: () => '',
    onFiltersDiffer: () => undefined,
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: { debug: write, info: write, warn: write, error: write },
    limits: { inPlaceBytes: 9_000, readTimeoutMs: 500, requestTimeoutMs: 400, upstreamTimeoutMs: 300 },
    requestRate: { take: () => soon(() => 0), weigh: () => undefined },
    slots: {
      take: (grantId) => soon(() => (count(grantId, 1), 0)),
      release: (grantId) => count(grantId, -1),
    },
    observer: { polling: (by) => void (polling += by), answered: () => void over++ },
  });
  const held = new Set<object>();
  const jobs = new Set<object>();
  const watched: GatewayServices = {
    ...services,
    memory: {
      reserve(grantId, reader) {
        const reserved = services.memory.reserve(grantId, reader);
        held.add(reserved);
        const closed = (): void => (held.delete(reserved), reserved.close());
        return {
          take: (bytes) => reserved.take(bytes),
          give: (bytes) => reserved.give(bytes),
          waitForTurn: (bytes, go) => reserved.waitForTurn(bytes, go),
          releaseAll: () => reserved.releaseAll(),
          close: closed,
        };
      },
    },
    filterWorker: {
      ...services.filterWorker,
      open(work, grantId) {
        const input = services.filterWorker.open(work, grantId);
        jobs.add(input);
        const done = (end: () => void) => (): void => (jobs.delete(input), end());
        return {
          push: (chunk) => input.push(chunk),
          discard: done(() => input.discard()),
          end() {
            const job = input.end();
            return { ...job, release: done(() => job.release()) };
          },
        };
      },
    },
  };
  const pipeline = createPipeline(watched);
  let begun = 0;
  const server = createServer((message, response) => {
    begun++;
    pipeline(message, response);
  });
  const port = await listening(server);

  let grants = 0;
  const mint = (): { readonly id: GrantId; readonly token: string } => {
    const id = `G${String(++grants).padStart(5, '0')}` as GrantId;
    const uses = random.chance(0.3) ? { uses: 1 + random.int(20) } : {};
    const expiresAt = Date.now() + (random.chance(0.8) ? 3_600_000 : random.int(2_000));
    const scope = { v: 1 as const, rooms: [OPS], can: CAPABILITIES as never, ...uses };
    desk.add(`mwt_${id}`, { grant: grantOf([OPS], { id, expiresAt, scope }), rooms: new Set([OPS]) });
    return { id, token: `mwt_${id}` };
  };
  const live = Array.from({ length: 5 }, mint);
  const stopAt = Date.now() + FOR_MS;
  const holder = async (): Promise<void> => {
    while (Date.now() < stopAt) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      if (random.chance(0.8)) socket.resume();
      for (let left = 1 + random.int(3); left > 0; left--) socket.write(requestOf(random.pick(live).token));
      await pause(random.chance(0.7) ? 80 : 800);
      socket.destroy();
    }
  };
  const admin = async (): Promise<void> => {
    while (Date.now() < stopAt) {
      await pause(60);
      const [one] = live.splice(random.int(live.length), 1, mint());
      ended.add(one?.id);
      if (one !== undefined) desk.end(one.id, random.pick(['invalid', 'suspended']));
    }
  };
  await Promise.all([admin(), ...Array.from({ length: HOLDERS }, holder)]);

  await until(() => over === begun && held.size === 0 && jobs.size === 0);
  expect(begun).toBeGreaterThan(500);
  expect(servedThoughEnded).toEqual([]);
  expect(polling).toBe(0);
  await until(() => [...slots.values()].every((left) => left === 0));
  const used = [...desk.used.values()].reduce((sum, uses) => sum + uses, 0);
  await until(() => desk.usesOver.length === used);
  server.closeAllConnections();
  server.close();
  await close();
  homeserver.closeAllConnections();
  homeserver.close();
});
