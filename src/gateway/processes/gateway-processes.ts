import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../../domain/errors.ts';
import type { AccessControl } from '../../lifecycle/access/access-control.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { Transactions } from '../../ports/transactions.ts';
import { tokenBucket } from '../limits/rate-limiter.ts';
import { createSharedRevision } from './shared-revision.ts';
import { type GatewayProcess, type ChildProgram, startGatewayProcess } from './child.ts';
import type { ChildSetup } from './messages.ts';
import { createIpcServer } from './ipc-server.ts';
import { reservePort } from './reserve-port.ts';
import { requestPool, slotPool } from './limit-pools.ts';
import { limitShare } from './limit-shares.ts';

/** What gateway processes need. */
export type GatewayProcessesOptions = {
  readonly count: number;
  readonly program: ChildProgram;
  /** Its limits are those of all processes together. */
  readonly setup: ChildSetup;
  readonly access: AccessControl;
  readonly transactions: Transactions;
  readonly ledger: Pick<Ledger, 'onCommitted'>;
  /** The state folder. */
  readonly folder: string;
  /** Called if a process found that the two filters of large answers showed different things. */
  readonly onFiltersDiffer: () => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** Gateway processes that listen. */
export type GatewayProcesses = {
  readonly port: number;
  /** Those that are alive now. */
  readonly pids: readonly number[];
  /** The metrics of each, since it was started; null if they do not come in time. */
  metrics(): Promise<readonly { readonly pid: number; readonly numbers: readonly object[] | null }[]>;
  /** Stops listening and ends open requests. */
  close(): Promise<void>;
};

const HEARTBEAT_MS = 250;
const CHECK_EVERY_MS = 50;
/** A child that has not acknowledged the end of a grant by then is killed: its requests end within a second. */
const END_ACK_WITHIN_MS = 750;
/** The same for all other updates. */
const ACK_WITHIN_MS = 10_000;
const START_WITHIN_MS = 30_000;
const EXIT_WITHIN_MS = 5_000;
const METRICS_WITHIN_MS = 1_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/** Where the kernel distributes connections among processes that share a port (libuv's `SO_REUSEPORT`). */
const SHARES_PORTS: ReadonlySet<string> = new Set(['linux', 'freebsd']);

/**
 * Starts gateway processes that share one port, and restarts those that end, with back-off.
 * @throws MintwardenError `configuration` where they cannot listen, `state`
 */
export async function startGatewayProcesses(options: GatewayProcessesOptions): Promise<GatewayProcesses> {
  const { count, program, log } = options;
  const { listen } = options.setup;
  if (count > 1 && !SHARES_PORTS.has(process.platform)) {
    throw new MintwardenError(
      'configuration',
      'Processes cannot share a port on this system.',
      'Set gateway.processes to 0 or 1.',
    );
  }
  const port = await reservePort(listen.host, listen.port);
  const limits = limitShare(options.setup.limits ?? {}, count);
  const setup: ChildSetup = {
    ...options.setup,
    limits,
    listen: { host: listen.host, port, reusePort: count > 1 },
  };
  const now = (): number => options.clock.now();
  const rateLimiters = {
    writes: tokenBucket(limits.writesPerSecond, limits.writesAtOnce, now),
    personal: tokenBucket(limits.personalPerSecond, limits.personalAtOnce, now),
  };
  const pools = {
    slots: slotPool(limits.concurrentPerGrant),
    requests: requestPool(limits.requestsPerSecond, limits.requestsAtOnce, now),
  };
  const revision = createSharedRevision(options.folder);
  const server = createIpcServer({ ...options, rateLimiters, pools, revision, now });
  const children = new Set<GatewayProcess>();
  const closing = new AbortController();

  const start = (index: number): GatewayProcess => {
    const { args } = program;
    const child = startGatewayProcess(
      { ...program, args: [...args, String(index)] },
      setup,
      server,
      revision.fd,
      options.onFiltersDiffer,
    );
    children.add(child);
    void child.exited.then(() => children.delete(child));
    const late = setTimeout(() => child.kill(), START_WITHIN_MS);
    child.listening
      .then(
        () => log.info('gateway process ready', { process: index, pid: child.pid }),
        () => undefined,
      )
      .finally(() => clearTimeout(late));
    return child;
  };

  /** Replaces the process in one place whenever it ends. */
  const supervise = async (index: number, first: GatewayProcess): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    for (let child = first; ; child = start(index)) {
      const startedAt = performance.now();
      child.listening.catch(() => child.kill());
      await child.exited;
      if (closing.signal.aborted) return;
      backoffMs =
        performance.now() - startedAt > STEADY_AFTER_MS
          ? FIRST_BACKOFF_MS
          : Math.min(2 * backoffMs, LONGEST_BACKOFF_MS);
      log.warn('gateway process ended, another is started', {
        process: index,
        pid: child.pid,
        inMs: backoffMs,
      });
      await sleep(backoffMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
    }
  };

  const heartbeat = setInterval(() => server.heartbeat(), HEARTBEAT_MS);
  let checkedAt = performance.now();
  const check = setInterval(() => {
    const stalledMs = performance.now() - checkedAt - CHECK_EVERY_MS;
    checkedAt += CHECK_EVERY_MS + stalledMs;
    for (const child of children) {
      // What they sent meanwhile has not been read yet.
      if (stalledMs > CHECK_EVERY_MS) child.extendDeadlines(stalledMs);
      if (child.isResponsive(END_ACK_WITHIN_MS, ACK_WITHIN_MS)) continue;
      log.error('gateway process does not answer, it is killed', { pid: child.pid });
      child.kill();
    }
  }, CHECK_EVERY_MS);

  const close = async (): Promise<void> => {
    closing.abort();
    clearInterval(heartbeat);
    clearInterval(check);
    const all = [...children];
    for (const child of all) child.close();
    const late = setTimeout(() => all.forEach((child) => child.kill()), EXIT_WITHIN_MS);
    await Promise.all(all.map((child) => child.exited));
    clearTimeout(late);
    server.close();
    revision.close();
  };

  const first = Array.from({ length: count }, (_, index) => start(index + 1));
  try {
    await Promise.all(first.map((child) => child.listening));
  } catch (error) {
    await close();
    throw error;
  }
  for (const [index, child] of first.entries()) void supervise(index + 1, child);
  return {
    port,
    get pids() {
      return [...children].map(({ pid }) => pid).filter((pid) => pid > 0);
    },
    metrics: () =>
      Promise.all(
        [...children].map(async (child) => ({
          pid: child.pid,
          numbers: await child.metrics(METRICS_WITHIN_MS),
        })),
      ),
    close,
  };
}
