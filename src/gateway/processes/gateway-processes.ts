import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../../domain/errors.ts';
import type { AccessControl } from '../../lifecycle/access/access-control.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { Transactions } from '../../ports/transactions.ts';
import { writePace } from '../writes/pace.ts';
import { createBoard } from './shared-revision';
import { type Child, type Program, startChild } from './child.ts';
import type { Setup } from './messages.ts';
import { relay as startRelay } from './ipc-server';
import { reservePort } from './reserve-port.ts';
import { shareOf } from './limit-shares';

/** What gateway processes are made of. */
export type ProcessesOptions = {
  readonly count: number;
  readonly program: Program;
  /** For all of them together: each gets its share of the limits. */
  readonly setup: Setup;
  readonly access: AccessControl;
  readonly transactions: Transactions;
  readonly ledger: Pick<Ledger, 'onCommitted'>;
  /** A folder of our own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Gateway processes that listen. */
export type Processes = {
  readonly port: number;
  /** Those that live at this moment. */
  readonly pids: readonly number[];
  /** What each of them has counted, since it was started; null where it does not say so in time. */
  numbers(): Promise<readonly { readonly pid: number; readonly numbers: readonly object[] | null }[]>;
  /** Stops listening and ends what is open. */
  close(): Promise<void>;
};

const BEAT_MS = 250;
const LOOK_MS = 50;
/**
 * A child that has not heard of a grant's end by then is killed, so that what is open there ends within a
 * second.
 */
const OVER_WITHIN_MS = 750;
/** One that hears nothing at all. */
const HEARD_WITHIN_MS = 10_000;
const START_WITHIN_MS = 30_000;
const END_WITHIN_MS = 5_000;
const COUNT_WITHIN_MS = 1_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/**
 * Where connections to a port that several processes listen on are dealt out to all of them (`SO_REUSEPORT`,
 * as libuv has it).
 */
const SHARES_PORTS: ReadonlySet<string> = new Set(['linux', 'freebsd']);

/**
 * Starts gateway processes that share one port, and starts anew what ends: at once, then ever more slowly.
 * @throws MintwardenError `configuration` where they cannot listen, `state`
 */
export async function startGatewayProcesses(options: ProcessesOptions): Promise<Processes> {
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
  const limits = shareOf(options.setup.limits ?? {}, count);
  const setup: Setup = {
    ...options.setup,
    limits,
    listen: { host: listen.host, port, reusePort: count > 1 },
  };
  const now = (): number => options.clock.now();
  const paces = {
    writing: writePace(limits.writesPerSecond, limits.writesAtOnce, now),
    tending: writePace(limits.tendsPerSecond, limits.tendsAtOnce, now),
  };
  const board = createBoard(options.folder);
  const relay = startRelay({ ...options, paces, board, now });
  const children = new Set<Child>();
  const ending = new AbortController();

  const begin = (index: number): Child => {
    const { args } = program;
    const child = startChild({ ...program, args: [...args, String(index)] }, setup, relay, board.fd);
    children.add(child);
    void child.gone.then(() => children.delete(child));
    const late = setTimeout(() => child.kill(), START_WITHIN_MS);
    child.listening
      .then(
        () => log.info('gateway process ready', { process: index, pid: child.pid }),
        () => undefined,
      )
      .finally(() => clearTimeout(late));
    return child;
  };

  /** Stays with one place: when its process ends there is soon another. */
  const keep = async (index: number, first: Child): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    for (let child = first; ; child = begin(index)) {
      const begun = performance.now();
      child.listening.catch(() => child.kill());
      await child.gone;
      if (ending.signal.aborted) return;
      pauseMs =
        performance.now() - begun > STEADY_AFTER_MS
          ? FIRST_PAUSE_MS
          : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      log.warn('gateway process ended, another is started', {
        process: index,
        pid: child.pid,
        inMs: pauseMs,
      });
      await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
    }
  };

  const beat = setInterval(() => relay.beat(), BEAT_MS);
  let lookedAt = performance.now();
  const look = setInterval(() => {
    const stoodStill = performance.now() - lookedAt - LOOK_MS;
    lookedAt += LOOK_MS + stoodStill;
    for (const child of children) {
      // What they said meanwhile has not been read yet.
      if (stoodStill > LOOK_MS) child.forgive(stoodStill);
      if (child.keepsUp(OVER_WITHIN_MS, HEARD_WITHIN_MS)) continue;
      log.error('gateway process does not hear, it is killed', { pid: child.pid });
      child.kill();
    }
  }, LOOK_MS);

  const close = async (): Promise<void> => {
    ending.abort();
    clearInterval(beat);
    clearInterval(look);
    const all = [...children];
    for (const child of all) child.end();
    const late = setTimeout(() => all.forEach((child) => child.kill()), END_WITHIN_MS);
    await Promise.all(all.map((child) => child.gone));
    clearTimeout(late);
    relay.close();
    board.close();
  };

  const first = Array.from({ length: count }, (_, index) => begin(index + 1));
  try {
    await Promise.all(first.map((child) => child.listening));
  } catch (error) {
    await close();
    throw error;
  }
  for (const [index, child] of first.entries()) void keep(index + 1, child);
  return {
    port,
    get pids() {
      return [...children].map(({ pid }) => pid).filter((pid) => pid > 0);
    },
    numbers: () =>
      Promise.all(
        [...children].map(async (child) => ({ pid: child.pid, numbers: await child.count(COUNT_WITHIN_MS) })),
      ),
    close,
  };
}
