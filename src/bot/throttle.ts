/** Says whether something may happen for a key again. */
export type Throttle = { allow(key: string, now: number): boolean };

/** Lets a thing happen once per key and interval. Remembers at most `maxKeys` keys, forgetting the oldest. */
export function createThrottle(intervalMs: number, maxKeys = 1_000): Throttle {
  const last = new Map<string, number>();
  return {
    allow(key, now) {
      const before = last.get(key);
      if (before !== undefined && now - before < intervalMs) return false;
      last.delete(key);
      last.set(key, now);
      const oldest = last.keys().next();
      if (last.size > maxKeys && oldest.done !== true) last.delete(oldest.value);
      return true;
    },
  };
}
