import { LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';
import { LONG_MESSAGES_PATH, MESSAGES_PATH, STATE_PATH } from './answers.ts';
import { runOpenLoop } from './open-loop.ts';
import { cpuSeconds } from './process-figures.ts';
import { mint, type Stage } from './stage.ts';
import { median, quantile } from './statistics.ts';

const PER_SECOND = 1_000;
const GRANTS = 4;
const MIX = [
  STATE_PATH,
  MESSAGES_PATH,
  STATE_PATH,
  LONG_MESSAGES_PATH,
  STATE_PATH,
  MESSAGES_PATH,
  STATE_PATH,
];

/** What the gateway adds at 1,000 mixed reads a second, asked at fixed times. */
export async function measureMixedReads(stage: Stage): Promise<void> {
  const { report, options } = stage;
  const upstream = await stage.upstream();
  // A stall of the machine lets requests pile up: they are to be late, not refused.
  const gateway = await stage.freshGateway(upstream, { limits: { concurrentPerGrant: 1_000 } });
  const tokens: string[] = [];
  for (let grant = 0; grant < GRANTS; grant++) tokens.push(await mint(gateway, [OPS, LOBBY]));
  const requests = tokens.flatMap((token) => MIX.map((path) => ({ path, token })));
  const run = (url: string, seconds = options.seconds): Promise<number[]> =>
    runOpenLoop({ url, requests, perSecond: PER_SECOND, seconds });
  await run(gateway.url, Math.max(1, options.warmUpSeconds));
  await run(upstream.url, 1);
  const direct = { p50: [] as number[], p99: [] as number[] };
  const through = { p50: [] as number[], p99: [] as number[] };
  const note = (seen: typeof direct, took: readonly number[]): void => {
    seen.p50.push(quantile(took, 0.5));
    seen.p99.push(quantile(took, 0.99));
  };
  const cpuMs: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    note(direct, await run(upstream.url));
    const before = await cpuSeconds(gateway.pid);
    const took = await run(gateway.url);
    cpuMs.push((1_000 * ((await cpuSeconds(gateway.pid)) - before)) / took.length);
    note(through, took);
  }
  report.say(
    `\nAt ${String(PER_SECOND)} mixed reads a second (the quietest of ${String(options.rounds)} rounds: what else the machine does can only add):`,
  );
  const added = (what: 'p50' | 'p99'): number => Math.min(...through[what]) - Math.min(...direct[what]);
  report.figure('mixed.p99', 'added, 99th percentile', added('p99'), { atMost: 5 }, ' ms');
  report.say(`  ${'added, median'.padEnd(62)} ${added('p50').toFixed(2)} ms`);
  report.say(`  ${'processor time of each'.padEnd(62)} ${median(cpuMs).toFixed(3)} ms`);
}
