import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_FACTOR = 9;
const MAX_PAUSE_MS = 2_000;

/**
 * Runs `work` once for all callers that wait at that moment, then pauses nine times as long as it took, so that
 * a client that asks without end takes at most a tenth of the processor. No caller gets a result that was
 * found before it asked.
 */
export function coalesce<T>(work: () => Promise<T>): () => Promise<T> {
  let free: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  const once = async (): Promise<T> => {
    await free;
    next = null;
    const begun = performance.now();
    const working = work();
    const pauseMs = (): number => Math.min(MAX_PAUSE_MS, PAUSE_FACTOR * (performance.now() - begun));
    free = working.catch(() => undefined).then(() => sleep(pauseMs(), undefined, { ref: false }));
    return working;
  };
  return () => (next ??= once());
}
