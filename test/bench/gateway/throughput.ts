import { LONG_MESSAGES_PATH, MESSAGES_PATH, STATE_PATH } from './answers.ts';
import { against, median } from './figures.ts';
import type { Pinned } from './pinned.ts';
import { cpuSeconds } from './process-figures.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;

/** One row of the table: who is asked for what. */
type Row = { readonly name: string; readonly server: Pinned; readonly path: string };

/** The servers that are measured; null: not there, since a command is missing. */
export type Contestants = {
  readonly plain: Pinned | null;
  readonly auth: Pinned | null;
  readonly fastify: Pinned;
  readonly httpProxy: Pinned;
  readonly bare: Pinned;
  readonly ours: Pinned;
};

const NAMES = {
  plain: 'nginx proxy_pass',
  auth: 'nginx auth_request + proxy_pass',
  fastify: 'fastify + reply-from',
  httpProxy: 'http-proxy-3',
  bare: 'node:http + undici dispatch, bare',
  ours: 'mintwarden, pass-through',
  filtering: 'mintwarden, filtering /messages of 2 events',
  longer: 'mintwarden, filtering /messages of 9 events',
} as const;

/**
 * What one run came to. `perCpuSecond`: by the processor time the server used, which neighbours on the
 * machine do not touch.
 */
type Speed = { readonly perSecond: number; readonly perCpuSecond: number };

/**
 * The throughput of each with 64 connections, in rounds one after the other so that a machine's drift hits
 * all alike. The ratios are those of requests for each second of processor time: on a quiet machine that is
 * what one core does, and it stays true where the core is shared or the load generator is the slower one.
 */
export async function measureThroughput(
  tools: Tools,
  servers: Contestants,
  token: string,
  rounds: number,
  seconds: number,
): Promise<void> {
  const rows: Row[] = [];
  for (const key of ['plain', 'auth', 'fastify', 'httpProxy', 'bare', 'ours'] as const) {
    const server = servers[key];
    if (server !== null) rows.push({ name: NAMES[key], server, path: STATE_PATH });
  }
  rows.push({ name: NAMES.filtering, server: servers.ours, path: MESSAGES_PATH });
  rows.push({ name: NAMES.longer, server: servers.ours, path: LONG_MESSAGES_PATH });
  const seen = new Map<string, Speed[]>(rows.map(({ name }) => [name, []]));
  for (const row of rows) await run(tools, row, token, WARM_UP_SECONDS);
  // Every second round backwards: nobody always runs behind the same neighbour.
  for (let round = 0; round < rounds; round++) {
    for (const row of round % 2 === 0 ? rows : rows.toReversed())
      seen.get(row.name)?.push(await run(tools, row, token, seconds));
  }
  const of = (name: string, what: keyof Speed = 'perCpuSecond'): number =>
    median((seen.get(name) ?? []).map((speed) => speed[what]));
  console.log(
    `\nThroughput on one core, ${String(CONNECTIONS)} connections, medians of ${String(rounds)} rounds (lowest to highest):`,
  );
  console.log(`  ${''.padEnd(46)} requests a second of processor time   requests a second`);
  for (const [name, speeds] of seen) {
    const values = speeds.map(({ perCpuSecond }) => perCpuSecond);
    const range = `(${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
    console.log(
      `  ${name.padEnd(46)} ${of(name).toFixed(0).padStart(7)}  ${range.padEnd(20)} ${of(name, 'perSecond').toFixed(0).padStart(21)}`,
    );
  }
  const ours = of(NAMES.ours);
  console.log('\nRatios, by processor time:');
  against('pass-through to the bare forwarder', ours / of(NAMES.bare), { atLeast: 0.9 });
  if (servers.auth !== null)
    against('pass-through to nginx auth_request', ours / of(NAMES.auth), { atLeast: 0.6 });
  against('pass-through to the best Node peer', ours / Math.max(of(NAMES.fastify), of(NAMES.httpProxy)), {
    atLeast: 1.25,
  });
  against('filtering 2 events to pass-through', of(NAMES.filtering) / ours, { atLeast: 0.8 });
  console.log(`  ${'filtering 9 events to pass-through'.padEnd(62)} ${(of(NAMES.longer) / ours).toFixed(2)}`);
}

async function run(
  tools: Tools,
  { name, server, path }: Row,
  token: string,
  seconds: number,
): Promise<Speed> {
  const before = await cpuSeconds(server.pid);
  const load = await runWrk(tools, { url: server.url + path, token, connections: CONNECTIONS, seconds });
  if (load.bad + load.late > 0 || load.requests === 0)
    throw new Error(
      `${name}: ${String(load.bad)} of ${String(load.requests)} answers were bad, ${String(load.late)} late.`,
    );
  return {
    perSecond: load.perSecond,
    perCpuSecond: load.requests / ((await cpuSeconds(server.pid)) - before),
  };
}
