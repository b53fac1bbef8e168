import { setTimeout as sleep } from 'node:timers/promises';

const SHARE = 9;
const LONGEST_MS = 2_000;

/**
 * Works something out once for all who ask meanwhile, and then pauses nine times as long as it took: whoever
 * can reach the listener, and asks without end, takes at most a tenth of the time that revocations need too.
 * Nobody is told what was found before they asked.
 */
export function sparingly<T>(work: () => Promise<T>): () => Promise<T> {
  let free: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  const once = async (): Promise<T> => {
    await free;
    next = null;
    const begun = performance.now();
    const working = work();
    const pauseMs = (): number => Math.min(LONGEST_MS, SHARE * (performance.now() - begun));
    free = working.catch(() => undefined).then(() => sleep(pauseMs(), undefined, { ref: false }));
    return working;
  };
  return () => (next ??= once());
}
