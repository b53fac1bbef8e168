const tails = new WeakMap<object, Promise<unknown>>();

/**
 * Runs the work after all earlier work for the same key has settled, within this process. The work's own
 * failure goes to its caller alone.
 */
export function runExclusive<T>(key: object, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  tails.set(
    key,
    mine.catch(() => undefined),
  );
  return mine;
}
