import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onCore, OTHER_CORE } from './pinned.ts';
import type { Tools } from './tools.ts';

const REPORT = fileURLToPath(new URL('wrk-report.lua', import.meta.url));

/**
 * What one run of `wrk` saw. `bad`: answers that were not 2xx, and broken connections; `late`: answers after
 * two seconds.
 */
export type Load = {
  readonly requests: number;
  readonly perSecond: number;
  readonly bad: number;
  readonly late: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** What to ask, and how hard. */
export type LoadPlan = {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  readonly seconds: number;
};

/** Runs `wrk` on the other core: each connection asks again as soon as it has its answer. */
export async function runWrk(tools: Tools, { url, token, connections, seconds }: LoadPlan): Promise<Load> {
  const args = [
    '-t1',
    `-c${String(connections)}`,
    `-d${String(seconds)}s`,
    '-H',
    `Authorization: Bearer ${token}`,
    '-s',
    REPORT,
    url,
  ];
  const [command, all] = onCore(tools, OTHER_CORE, tools.wrk ?? 'wrk', args);
  const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const seen = JSON.parse(said.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  const of = (name: string): number => seen[name] ?? 0;
  return {
    requests: of('requests'),
    perSecond: of('requests') / (of('durationUs') / 1e6),
    bad: of('bad'),
    late: of('late'),
    p50Ms: of('p50Us') / 1_000,
    p99Ms: of('p99Us') / 1_000,
    maxMs: of('maxUs') / 1_000,
  };
}
