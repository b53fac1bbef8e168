import type { Message } from '../../domain/message.ts';
import { processLease } from './process-lease.ts';
import { destinationKey } from '../rows/message-row.ts';
import { processMessage } from '../notifications/outbox.ts';
import { problemOf } from '../problem.ts';
import { makeRetriesDue } from './retry-now.ts';
import { processGrant } from './process-grant.ts';
import type { Services } from '../services.ts';

const BATCH = 1_000;
const PARALLEL = 16;
const FIRST_HOLD_MS = 1_000;
const LONGEST_HOLD_MS = 60_000;

/** What one pass started, and when the next row is due; null: none is known. */
export type Pass = { readonly begun: readonly Promise<void>[]; readonly nextAt: number | null };

/** Told how long things took, in milliseconds. */
export type WorkMetrics = {
  /** To find what is due. */
  readonly queried: (ms: number) => void;
  /** To do one thing: `grant`, `lease`, or `room` for the messages of one place. */
  readonly processed: (kind: string, ms: number, failed: boolean) => void;
};

/** One thing to do under a key: things of one key are never done side by side, and in order. */
type Task = { readonly key: string; readonly run: () => Promise<number | null> };

/**
 * Takes what is due, side by side where it may be, in order where it must (one place in the rooms, one row).
 * What fails is held back a while and never stops the rest.
 */
export function createDueWork(
  services: Services,
  times?: WorkMetrics,
): { readonly pass: () => Promise<Pass>; readonly hurry: () => Promise<void> } {
  const busy = new Set<string>();
  const holds = new Map<string, number>();
  const failures = new Map<string, number>();

  const perform = async (task: Task): Promise<void> => {
    const begunAt = performance.now();
    const kind = task.key.split(':')[0] ?? '';
    const tended = (failed: boolean): void => times?.processed(kind, performance.now() - begunAt, failed);
    try {
      const until = await task.run();
      tended(false);
      failures.delete(task.key);
      if (until !== null) holds.set(task.key, until);
    } catch (error) {
      tended(true);
      const count = (failures.get(task.key) ?? 0) + 1;
      failures.set(task.key, count);
      holds.set(
        task.key,
        services.clock.now() + Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** Math.min(count - 1, 6)),
      );
      services.log.error('due work failed', { kind, problem: problemOf(error) });
    } finally {
      busy.delete(task.key);
    }
  };

  const free = (key: string, now: number): boolean => {
    const until = holds.get(key);
    if (until !== undefined && until <= now) holds.delete(key);
    return !busy.has(key) && (until === undefined || until <= now);
  };

  const pass = async (): Promise<Pass> => {
    const now = services.clock.now();
    const begunAt = performance.now();
    const due = await services.ledger.due(now, BATCH);
    times?.queried(performance.now() - begunAt);
    const tasks: Task[] = [
      ...due.grants.map((grant) => ({
        key: `grant:${grant.id}`,
        run: () => processGrant(services, grant).then(() => null),
      })),
      ...due.leases.map((lease) => ({
        key: `lease:${lease.id}`,
        run: () => processLease(services, lease.id).then(() => null),
      })),
      ...byDestination(services, due.messages),
    ];
    const begun: Promise<void>[] = [];
    let left = false;
    for (const task of tasks) {
      if (!free(task.key, now)) continue;
      if (busy.size >= PARALLEL) {
        left = true;
        break;
      }
      busy.add(task.key);
      begun.push(perform(task));
    }
    const waits = [...holds.values()].filter((until) => until > now);
    const nextAt = [due.nextAt, ...waits].reduce<number | null>(
      (soonest, at) => (at === null || (soonest !== null && soonest <= at) ? soonest : at),
      null,
    );
    // More than fits at once: the first job to finish wakes the reaper, so no time is set here.
    return { begun, nextAt: left && begun.length > 0 ? now : nextAt };
  };
  const hurry = async (): Promise<void> => {
    holds.clear();
    failures.clear();
    await makeRetriesDue(services);
  };
  return { pass, hurry };
}

/** The due messages by the place they go to, oldest first. One that has to wait ends its place's turn. */
function byDestination(services: Services, messages: readonly Message[]): Task[] {
  const places = Map.groupBy(messages, (message) => destinationKey(message.to));
  return [...places].map(([place, rows]) => ({
    key: `room:${place}`,
    run: async () => {
      for (const message of rows.toSorted((a, b) => a.createdAt - b.createdAt)) {
        const tended = await processMessage(services, message.id);
        if (tended.kind === 'later') return tended.at;
      }
      return null;
    },
  }));
}
