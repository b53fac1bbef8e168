import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Tools } from './tools.ts';

/** Whatever is measured runs on this core; the upstream and the load generator share the other. */
export const MEASURED_CORE = 0;
export const OTHER_CORE = Math.min(1, availableParallelism() - 1);

const READY_MS = 15_000;

/** A server in a process of its own. */
export type Pinned = AsyncDisposable & {
  readonly url: string;
  readonly pid: number;
  /** Asks the process by its IPC channel, one question at a time. */
  ask(question: unknown): Promise<unknown>;
};

/** Puts `taskset` before a command line, where there is one. */
export function onCore(
  tools: Tools,
  core: number,
  command: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  return tools.taskset === null ? [command, args] : [tools.taskset, ['-c', String(core), command, ...args]];
}

/** Starts a TypeScript file of this folder; it says `{ port }` by IPC when it listens. */
export async function startNode(
  tools: Tools,
  core: number,
  file: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Pinned> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [command, all] = onCore(tools, core, process.execPath, [...flags, path, ...args]);
  // Its log goes to /dev/null: written, but to no disk.
  const child = spawn(command, all, {
    stdio: ['ignore', 'inherit', process.env['BENCH_LOG'] === undefined ? 'ignore' : 'inherit', 'ipc'],
  });
  const { port } = (await answerOf(child, file)) as { port: number };
  return {
    ...handle(child, port),
    ask: (question) => (child.send(question as object), answerOf(child, file)),
  };
}

/** Starts any server that listens on a port we name. */
export async function startCommand(
  tools: Tools,
  core: number,
  command: string,
  args: readonly string[],
  port: number,
): Promise<Pinned> {
  const [first, all] = onCore(tools, core, command, args);
  const child = spawn(first, all, { stdio: ['ignore', 'ignore', 'inherit'] });
  const started = handle(child, port);
  for (const end = Date.now() + READY_MS; !(await listens(port)); await sleep(20)) {
    if (Date.now() < end && child.exitCode === null) continue;
    await started[Symbol.asyncDispose]();
    throw new Error(`${command} did not start.`);
  }
  return started;
}

function handle(child: ChildProcess, port: number): Pinned {
  return {
    url: `http://127.0.0.1:${String(port)}`,
    pid: child.pid ?? 0,
    ask: () => Promise.reject(new Error('This process answers no questions.')),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function answerOf(child: ChildProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`${what} ended. BENCH_LOG=1 shows its log.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.unref();
    setTimeout(() => socket.destroy(), 500).unref();
  });
}
