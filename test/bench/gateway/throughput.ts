import { LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';
import { LONG_MESSAGES_PATH, MESSAGES_PATH, STATE_PATH } from './answers.ts';
import { nginxPeer } from './nginx.ts';
import type { Pinned } from './pinned.ts';
import { cpuSeconds } from './process-figures.ts';
import { mint, type Stage, warmUp } from './stage.ts';
import { median } from './statistics.ts';
import { runWrk } from './wrk.ts';

const CONNECTIONS = 64;

/** One row of the table: who is asked for what. */
type Row = { readonly name: string; readonly server: Pinned; readonly path: string };

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
type Contestant = keyof typeof NAMES;

/** What one run came to. `perCpuSecond`: by the processor time of the server, which neighbours do not touch. */
type Speed = { readonly perSecond: number; readonly perCpuSecond: number };

/**
 * The throughput of each with 64 connections, in rounds one after the other so that a machine's drift hits
 * all alike. The ratios are those of requests for each second of processor time: on a quiet machine that is
 * what one core does, and it stays true where the core is shared or the load generator is the slower one.
 * Each ratio is the median of the rounds' own.
 */
export async function measureThroughput(stage: Stage): Promise<void> {
  const { report, options } = stage;
  const { rows, token } = await contestants(stage);
  const seen = new Map<Contestant, Speed[]>([...rows.keys()].map((who) => [who, []]));
  for (const { server, path } of rows.values()) await warmUp(stage, server.url + path, token);
  for (let round = 0; round < options.rounds; round++) {
    // Every second round backwards: nobody always runs behind the same neighbour.
    const turns = round % 2 === 0 ? [...rows] : [...rows].toReversed();
    for (const [who, row] of turns) seen.get(who)?.push(await run(stage, row, token));
  }

  report.say(
    `\nThroughput on one core, ${String(CONNECTIONS)} connections, medians of ${String(options.rounds)} rounds (lowest to highest):\n` +
      `  ${''.padEnd(46)} requests a second of processor time   requests a second`,
  );
  for (const [who, speeds] of seen) {
    const values = speeds.map(({ perCpuSecond }) => perCpuSecond);
    const range = `(${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
    const perSecond = median(speeds.map((speed) => speed.perSecond)).toFixed(0);
    report.say(
      `  ${NAMES[who].padEnd(46)} ${median(values).toFixed(0).padStart(7)}  ${range.padEnd(20)} ${perSecond.padStart(21)}`,
    );
  }

  const ratio = (
    mine: Contestant,
    others: readonly Contestant[],
    what: keyof Speed = 'perCpuSecond',
  ): number =>
    median(
      Array.from({ length: options.rounds }, (_, round) => {
        const of = (who: Contestant): number => seen.get(who)?.[round]?.[what] ?? Number.NaN;
        return of(mine) / Math.max(...others.map(of));
      }),
    );
  report.say('\nRatios, by processor time (and by requests a second):');
  const compare = (
    name: string,
    what: string,
    mine: Contestant,
    others: readonly Contestant[],
    atLeast: number,
  ): void => {
    if (!others.every((other) => rows.has(other))) return;
    const wall = ratio(mine, others, 'perSecond').toFixed(2);
    report.figure(`throughput.${name}`, `${what} (${wall})`, ratio(mine, others), { atLeast });
  };
  compare('bare', 'pass-through to the bare forwarder', 'ours', ['bare'], 0.8);
  compare('auth_request', 'pass-through to nginx auth_request', 'ours', ['auth'], 0.5);
  compare('node_peer', 'pass-through to the best Node peer', 'ours', ['fastify', 'httpProxy'], 1.5);
  compare('filter_2', 'filtering 2 events to pass-through', 'filtering', ['ours'], 0.85);
  compare('filter_9', 'filtering 9 events to pass-through', 'longer', ['ours'], 0.5);
}

async function contestants(stage: Stage): Promise<{ rows: Map<Contestant, Row>; token: string }> {
  const { tools, folder } = stage;
  const upstream = await stage.upstream();
  const ours = await stage.gateway();
  const rows = new Map<Contestant, Row>();
  const add = (who: Contestant, server: Pinned, path = STATE_PATH): void =>
    void rows.set(who, { name: NAMES[who], server, path });
  if (tools.nginx !== null) {
    add('plain', stage.use(await nginxPeer(tools, folder, upstream.url, false)));
    add('auth', stage.use(await nginxPeer(tools, folder, upstream.url, true)));
  }
  add('fastify', await stage.server('peers/fastify-process.ts', [upstream.url]));
  add('httpProxy', await stage.server('peers/http-proxy-process.ts', [upstream.url]));
  add('bare', await stage.server('peers/bare-forwarder-process.ts', [upstream.url]));
  add('ours', ours);
  add('filtering', ours, MESSAGES_PATH);
  add('longer', ours, LONG_MESSAGES_PATH);
  return { rows, token: await mint(ours, [OPS, LOBBY]) };
}

async function run(
  { tools, options, report }: Stage,
  { name, server, path }: Row,
  token: string,
): Promise<Speed> {
  const before = await cpuSeconds(server.pid);
  const load = await runWrk(tools, {
    url: server.url + path,
    token,
    connections: CONNECTIONS,
    seconds: options.seconds,
  });
  if (load.bad > 0 || load.requests === 0)
    throw new Error(`${name}: ${String(load.bad)} of ${String(load.requests)} answers were bad.`);
  // A machine that is busy with other things makes some wait for two seconds; that costs no processor time.
  if (load.late > 0) report.say(`  ${name}: ${String(load.late)} answers came late.`);
  return {
    perSecond: load.perSecond,
    perCpuSecond: load.requests / ((await cpuSeconds(server.pid)) - before),
  };
}
