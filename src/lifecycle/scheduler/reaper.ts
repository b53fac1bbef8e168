import { createDueWork, type WorkMetrics } from './due-work.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';

const LONGEST_SLEEP_MS = 30_000;
const AFTER_FAILURE_MS = 1_000;

/** The one loop that does what the ledger's rows say is due. */
export type Reaper = {
  /** Look now. */
  readonly wake: () => void;
  /** What failed is tried again at once: the homeserver is back. Never throws. */
  readonly retryNow: () => Promise<void>;
  /** Resolves when what was begun has ended. */
  readonly stop: () => Promise<void>;
  /** When it last looked at the ledger, epoch ms; for health. 0: not yet. */
  readonly lastRunAt: () => number;
};

/**
 * Starts the reaper. It sleeps until the next row is due, never longer than 30 s (a wall clock may jump), and
 * wakes with each commit. No row's failure stops it.
 * @param times is told how long things took
 */
export function startReaper(services: Services, times?: WorkMetrics): Reaper {
  const work = createDueWork(services, times);
  const running = new Set<Promise<void>>();
  let stopped = false;
  let lastRunAt = 0;
  let woken = false;
  let rouse: (() => void) | null = null;

  const wake = () => {
    woken = true;
    rouse?.();
  };
  const sleep = async (ms: number): Promise<void> => {
    if (woken || stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    rouse = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    rouse = null;
  };
  const look = async (): Promise<number> => {
    try {
      lastRunAt = services.clock.now();
      const { begun, nextAt } = await work.pass();
      for (const job of begun) {
        running.add(job);
        void job.finally(() => {
          running.delete(job);
          wake();
        });
      }
      if (nextAt === null) return LONGEST_SLEEP_MS;
      return Math.max(1, Math.min(LONGEST_SLEEP_MS, nextAt - services.clock.now()));
    } catch (error) {
      services.log.error('reaper could not read what is due', { problem: problemOf(error) });
      return AFTER_FAILURE_MS;
    }
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      if (stopped) return;
      woken = false;
      await sleep(await look());
    }
  };

  const unsubscribe = services.ledger.onCommitted(wake);
  const ended = loop();
  return {
    wake,
    retryNow: async () => {
      await work
        .hurry()
        .catch((error: unknown) =>
          services.log.warn('what failed could not be brought forward', { problem: problemOf(error) }),
        );
      wake();
    },
    stop: async () => {
      stopped = true;
      unsubscribe();
      rouse?.();
      await ended;
      await Promise.allSettled(running);
    },
    lastRunAt: () => lastRunAt,
  };
}
