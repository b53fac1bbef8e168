import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { freePort } from './free-port.ts';
import { HarnessError } from './harness-error.ts';
import { tokenShapes } from './tell-tales.ts';
import { runCommand } from './run-command.ts';
import { until } from '../support/wait.ts';

const MAIN = join(import.meta.dirname, '../../src/mintwarden.mjs');
const READY_WITHIN_MS = 30_000;

/** How it is to be set up. */
export interface MintwardenOptions {
  homeserverUrl: string;
  /** Where the running service reaches the homeserver, if not there: a proxy's address. Set after `init`. */
  serviceHomeserverUrl?: string;
  /** A server administrator's token, used by `init` alone. */
  adminToken: string;
  admins: readonly string[];
  /** The names of its accounts, where there is another Mintwarden on the homeserver. */
  bot?: string;
  issuer?: string;
  /** Kept if given; a temporary folder otherwise. */
  dir?: string;
  /** Keys put over those `init` wrote: `{ 'policy.redact_after': '5s' }`. */
  config?: Readonly<Record<string, unknown>>;
  /** The file that Node runs; the clone's own unless given. */
  program?: string;
  onProgress?: (line: string) => void;
}

/** A Mintwarden set up and run as an operator does it: by its command line, in processes of its own. */
export interface Mintwarden extends AsyncDisposable {
  dir: string;
  configPath: string;
  /** What it wrote to stdout and stderr, all starts together. */
  logPath: string;
  gatewayUrl: string;
  /** Where /health, /ready and /metrics are. */
  monitoringUrl: string;
  /** The page of metrics at each end in order, and when it was disposed of. */
  readonly pages: readonly string[];
  controlRoomId: string;
  botUserId: string;
  readonly pid: number | undefined;
  /** A value of its page of metrics, which is not worked out more often than every two seconds; 0 if none. */
  metric(series: string): Promise<number>;
  /** Starts it and waits until the gateway answers. Gives the milliseconds that took. */
  start(): Promise<number>;
  /** Shuts it down. */
  stop(): Promise<void>;
  /** SIGKILL, at once. */
  kill(): Promise<void>;
  /** Resolves when the process has ended, for any reason. */
  ended(): Promise<void>;
  /** Runs another of its commands; throws nothing for an exit status other than 0. */
  command(...args: readonly string[]): Promise<{ status: number; output: string }>;
}

/** Runs `mintwarden init`. The service is not started. Throws `HarnessError` with its words if it fails. */
export async function setUpMintwarden(options: MintwardenOptions): Promise<Mintwarden> {
  await using cleanup = new AsyncDisposableStack();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'mintwarden-')));
  if (options.dir === undefined)
    cleanup.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${String(port)}`;
  const tokenFile = join(dir, 'admin-token');
  await writeFile(tokenFile, options.adminToken, { mode: 0o600 });
  const program = options.program ?? MAIN;
  const run = (args: readonly string[]): ReturnType<typeof runMintwarden> => runMintwarden(args, program);
  const done = await run([
    'init',
    '--homeserver',
    options.homeserverUrl,
    '--admin-token-file',
    tokenFile,
    '--public-url',
    gatewayUrl,
    '--listen',
    `127.0.0.1:${String(port)}`,
    '--admins',
    options.admins.join(','),
    '--dir',
    dir,
    ...(options.bot === undefined ? [] : ['--bot', options.bot]),
    ...(options.issuer === undefined ? [] : ['--issuer', options.issuer]),
  ]);
  await rm(tokenFile);
  if (done.status !== 0)
    throw new HarnessError(`mintwarden init ended with ${String(done.status)}:\n${done.output}`);
  for (const line of done.output.trimEnd().split('\n')) options.onProgress?.(line);

  const configPath = join(dir, 'bot.yaml');
  const monitoring = `127.0.0.1:${String(await freePort())}`;
  const overrides: Record<string, unknown> = { 'monitoring.listen': monitoring, ...options.config };
  if (options.serviceHomeserverUrl !== undefined) overrides['homeserver.url'] = options.serviceHomeserverUrl;
  const config = parseDocument(await readFile(configPath, 'utf8'));
  for (const [key, value] of Object.entries(overrides)) {
    const path = key.split('.');
    if (path.length > 1 && !isMap(config.get(path[0]))) config.set(path[0], config.createNode({}));
    config.setIn(path, value);
  }
  await writeFile(configPath, config.toString(), { mode: 0o600 });

  const logPath = join(dir, 'mintwarden.log');
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined) return;
    const gone = exited(child);
    child.kill(signal);
    await gone;
    child = undefined;
  };
  cleanup.defer(() => end('SIGKILL'));
  const pages: string[] = [];
  /** Ignores failures: a page that cannot be fetched any more holds nothing. */
  const scrape = async (): Promise<void> => {
    if (child === undefined) return;
    const answer = await fetch(`http://${monitoring}/metrics`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => null,
    );
    if (answer?.ok === true) pages.push(await answer.text().catch(() => ''));
  };
  const atEnd = cleanup.move();
  return {
    dir,
    configPath,
    logPath,
    gatewayUrl,
    monitoringUrl: `http://${monitoring}`,
    pages,
    controlRoomId: String(config.getIn(['control_room'])),
    botUserId: String(config.getIn(['bot', 'user_id'])),
    get pid() {
      return child?.pid;
    },
    metric: async (series) => {
      const text = await (await fetch(`http://${monitoring}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? 0 : Number(line.slice(series.length + 1));
    },
    start: async () => {
      const log = openSync(logPath, 'a', 0o600);
      child = spawn(process.execPath, [program, 'start', '--config', configPath], {
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      return untilReady(child, gatewayUrl, logPath);
    },
    stop: async () => {
      await scrape();
      await end('SIGTERM');
    },
    kill: () => end('SIGKILL'),
    ended: async () => {
      if (child !== undefined) await exited(child);
    },
    command: (...args) => run([...args, '--config', configPath]),
    async [Symbol.asyncDispose]() {
      await scrape();
      const shapes = tokenShapes([await readFile(logPath, 'utf8').catch(() => ''), ...pages]);
      await atEnd.disposeAsync();
      if (shapes.length > 0)
        throw new HarnessError(`The log or the metrics of Mintwarden hold tokens: ${shapes.join(', ')}.`);
    },
  };
}

/** Runs `mintwarden` with these words; stdin is empty, stdout and stderr come together. */
export async function runMintwarden(
  args: readonly string[],
  program = MAIN,
): Promise<{ status: number; output: string }> {
  const result = await runCommand(process.execPath, [program, ...args]);
  return { status: result.status, output: result.output.join('\n') };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

async function untilReady(child: ChildProcess, gatewayUrl: string, logPath: string): Promise<number> {
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new HarnessError(`mintwarden start ended at once:\n${await tail(logPath)}`);
    return (await fetch(`${gatewayUrl}/health`).catch(() => null))?.ok === true;
  };
  try {
    return await until(isReady, READY_WITHIN_MS, 20);
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw new HarnessError(
      `mintwarden was not ready within ${String(READY_WITHIN_MS / 1000)} s:\n${await tail(logPath)}`,
    );
  }
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').slice(-25).join('\n');
}
