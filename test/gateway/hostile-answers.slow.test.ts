import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HIERARCHY_PATH, MESSAGES_PATH, STATE_PATH } from '../bench/gateway/answers.ts';
import type { GatewaySetup } from '../bench/gateway/gateway-process.ts';
import { serviceFlags } from '../bench/gateway/service-flags.ts';
import { OPS } from '../lifecycle/support/homeserver.ts';

/* Any member of a room can post events that are costly to read: 500 of 60 kB, of `{},{},…`. */

const MOST_MB = 350;
const AT_ONCE = 20;
const GRANTS = 5;
const PROCESSES = new URL('../bench/gateway/', import.meta.url);

/** A process that is ended with the test. */
async function started(file: string, args: readonly string[], flags: readonly string[] = []) {
  const child = fork(fileURLToPath(new URL(file, PROCESSES)), args, {
    execArgv: [...flags],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port, [Symbol.dispose]: () => void child.kill() };
}

async function mint(child: ChildProcess): Promise<string> {
  child.send({ mint: [OPS] });
  const [{ token }] = (await once(child, 'message')) as [{ token: string }];
  return token;
}

/** The process and those it has started. */
function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

function peakMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const peaks = (pid: number): number[] => family(pid).map(peakMb);

test.each([
  ['one process', {}],
  ['two processes', { processes: 2 }],
] as [string, GatewaySetup][])(
  'the worst answers, twenty at once, take little memory and keep nobody waiting: %s',
  { timeout: 180_000 },
  async (_, setup) => {
    using upstream = await started('upstream-process.ts', ['braces']);
    const args = [`http://127.0.0.1:${upstream.port}`, JSON.stringify(setup)];
    using gateway = await started('gateway-process.ts', args, serviceFlags());
    const tokens: string[] = [];
    for (let count = 0; count <= GRANTS; count++) tokens.push(await mint(gateway.child));
    const [other = '', ...holders] = tokens;
    const ask = async (path: string, token: string): Promise<number> => {
      const url = `http://127.0.0.1:${gateway.port}${path}`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      return response.status;
    };
    const over = new AbortController();
    const watch = (async () => {
      let served = 0;
      while (!over.signal.aborted) {
        const most = Math.max(...peaks(gateway.child.pid ?? 0));
        if (most > MOST_MB) gateway.child.kill('SIGKILL');
        expect(most).toBeLessThan(MOST_MB);
        expect(await ask(STATE_PATH, other)).toBe(200);
        served++;
      }
      return served;
    })();
    const statuses = await Promise.all(
      Array.from({ length: AT_ONCE }, (__, at) => {
        const path = at % 4 === 3 ? HIERARCHY_PATH : MESSAGES_PATH;
        return ask(path, holders[at % GRANTS] ?? '');
      }),
    );
    over.abort();
    expect(await watch).toBeGreaterThan(20);
    // What would be far too large as objects is not parsed; what had to wait for long is to come again.
    for (const [at, status] of statuses.entries())
      expect(at % 4 === 3 ? [502, 429] : [200, 429]).toContain(status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(3);
  },
);
