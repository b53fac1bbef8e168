/** Lets something that keeps failing be tried less and less often, for each key by itself. */
export type Pace = {
  /** Whether it may be tried now. */
  readonly mayTry: (key: string, now: number) => boolean;
  /** It failed: the wait before the next try is doubled. */
  readonly failed: (key: string, now: number) => void;
  /** It worked, or nobody wants it any more. */
  readonly forget: (key: string) => void;
  /** Every key may be tried again at once. */
  readonly forgetAll: () => void;
};

/**
 * @param firstMs the wait after the first failure
 * @param longestMs the longest wait; failures that lie further apart than twice that are first ones again
 */
export function pace(firstMs: number, longestMs: number): Pace {
  const failures = new Map<string, { at: number; waitMs: number }>();
  return {
    mayTry: (key, now) => {
      const last = failures.get(key);
      return last === undefined || Math.abs(now - last.at) >= last.waitMs;
    },
    failed: (key, now) => {
      const last = failures.get(key);
      const again = last !== undefined && Math.abs(now - last.at) < 2 * longestMs;
      failures.set(key, { at: now, waitMs: again ? Math.min(longestMs, last.waitMs * 2) : firstMs });
    },
    forget: (key) => void failures.delete(key),
    forgetAll: () => failures.clear(),
  };
}
