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
  const added = { p50: [] as number[], p99: [] as number[] };
  const cpuMs: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const direct = await run(upstream.url);
    const before = await cpuSeconds(gateway.pid);
    const through = await run(gateway.url);
    cpuMs.push((1_000 * ((await cpuSeconds(gateway.pid)) - before)) / through.length);
    added.p50.push(quantile(through, 0.5) - quantile(direct, 0.5));
    added.p99.push(quantile(through, 0.99) - quantile(direct, 0.99));
  }
  report.say(`\nAt ${String(PER_SECOND)} mixed reads a second, medians of ${String(options.rounds)} rounds:`);
  report.figure('mixed.p99', 'added, 99th percentile', median(added.p99), { atMost: 5 }, ' ms');
  report.say(`  ${'added, median'.padEnd(62)} ${median(added.p50).toFixed(2)} ms`);
  report.say(
    `  ${'added, 99th percentile, the quietest round'.padEnd(62)} ${Math.min(...added.p99).toFixed(2)} ms`,
  );
  report.say(`  ${'processor time of each'.padEnd(62)} ${median(cpuMs).toFixed(3)} ms`);
}
