import { LRUCache } from 'lru-cache';

const MAX_KEYS = 10_000;

type Allowance = { readonly left: number; readonly at: number };

/**
 * Says whether a thing may happen once more for a key: `burst` times at once, and then every `refillMs`.
 * `elapsedMs`: a clock that only goes forward.
 */
export function createPace(options: {
  readonly burst: number;
  readonly refillMs: number;
  readonly elapsedMs: () => number;
}): (key: string) => boolean {
  const { burst, refillMs } = options;
  const allowances = new LRUCache<string, Allowance>({ max: MAX_KEYS });
  return (key) => {
    const now = options.elapsedMs();
    const { left, at } = allowances.get(key) ?? { left: burst, at: now };
    const refilled = Math.floor((now - at) / refillMs);
    const available = Math.min(burst, left + refilled);
    if (available === 0) return false;
    allowances.set(key, { left: available - 1, at: available === burst ? now : at + refilled * refillMs });
    return true;
  };
}
