import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `check` gives true, looking every `intervalMs`. Gives the milliseconds that took; throws where it
 * is not true within `withinMs`.
 */
export async function until(
  check: () => boolean | Promise<boolean>,
  withinMs = 5_000,
  intervalMs = 10,
): Promise<number> {
  const begun = performance.now();
  while (!(await check())) {
    if (performance.now() - begun > withinMs)
      throw new Error(`Not within ${String(withinMs)} ms: ${check.toString()}`);
    await sleep(intervalMs);
  }
  return performance.now() - begun;
}

/**
 * Lets everything happen that this process can do without waiting for a clock, another process or a thread:
 * what stubs and servers in it say to each other over the loopback has then arrived.
 */
export async function settled(turns = 100): Promise<void> {
  for (let at = 0; at < turns; at++) await turn();
}

/** Whether a promise is still open after all that. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const end = (): void => void (pending = false);
  promise.then(end, end);
  await settled();
  return pending;
}

/**
 * Lets real time pass. Only for what is itself a matter of real time, in another process, a thread or the
 * kernel, where no event tells of it and no clock can be handed in; each call says why. Anything else waits
 * with `until`, `settled`, an event, or a clock of the test's own.
 */
export async function realTime(ms: number): Promise<void> {
  await sleep(ms);
}
