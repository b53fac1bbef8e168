import { setTimeout as sleep } from 'node:timers/promises';
import { answerWith, cut, delay, garbage, truncate } from '../harness/proxy.ts';
import type { Fault, Proxy } from '../harness/proxy.ts';
import type { Synapse } from '../harness/synapse.ts';

/** Numbers from 0 to 1 that come again with the same seed (mulberry32). */
export type Random = () => number;

/** See `Random`. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What can be done to the homeserver, each for a while. When it resolves the homeserver answers as ever. */
export type Misfortune = {
  readonly name: string;
  readonly isOutage: boolean;
  readonly strike: (ms: number) => Promise<void>;
};

/** One request in three goes wrong, each in its own way. */
function erring(random: Random): Fault[] {
  const limited = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many requests', retry_after_ms: 500 };
  const faults = [
    answerWith(500, { errcode: 'M_UNKNOWN', error: 'Internal server error' }),
    answerWith(502, '<html>Bad gateway</html>', { 'content-type': 'text/html' }),
    answerWith(503, 'no'),
    answerWith(429, limited),
    answerWith(200, 'not JSON'),
    garbage(),
    cut('before'),
    cut('after'),
    truncate(),
    delay(700),
    delay(700, 'after'),
  ];
  return faults.map((fault) => ({ fault, at: random() })).map(({ fault }) => fault);
}

/** Everything there is. */
export function misfortunes(synapse: Synapse, proxy: Proxy, random: Random): readonly Misfortune[] {
  const down = async (end: () => Promise<void>, ms: number): Promise<void> => {
    await end();
    await sleep(ms);
    await synapse.start();
  };
  const during = async (fault: Fault, share: number, ms: number): Promise<void> => {
    const planned = proxy.on(() => random() < share, fault);
    await sleep(ms);
    planned.release();
  };
  return [
    { name: 'stopped', isOutage: true, strike: (ms) => down(() => synapse.stop(), ms) },
    { name: 'killed', isOutage: true, strike: (ms) => down(() => synapse.kill(), ms) },
    {
      name: 'silent',
      isOutage: true,
      strike: async (ms) => {
        synapse.pause();
        await sleep(ms);
        synapse.resume();
      },
    },
    {
      name: 'refusing connections',
      isOutage: true,
      strike: async (ms) => {
        await proxy.refuseConnections();
        await sleep(ms);
        await proxy.acceptConnections();
      },
    },
    {
      name: 'slow',
      isOutage: false,
      strike: (ms) => during(delay(400 + Math.round(random() * 1_600)), 1, ms),
    },
    {
      name: 'erring',
      isOutage: false,
      strike: async (ms) => {
        const planned = erring(random).map((fault) => proxy.on(() => random() < 1 / 25, fault));
        await sleep(ms);
        for (const each of planned) each.release();
      },
    },
  ];
}
