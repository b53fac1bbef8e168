import { LRUCache } from 'lru-cache';
import { pause } from '../http/unless-aborted.ts';

const MAX_KNOWN = 10_000;
const MAX_WAITING = 2_000;
const MAX_WAITING_EACH = 4;
const FORGET_MS = 600_000;

/**
 * Some clients repeat a refused sync a thousand times a second; each is answered as late as a long-poll would
 * be.
 */
export interface PollThrottle {
  /**
   * Waits for one's turn. The first goes at once, the next ones later and later, one at a time.
   * @param key who asks, in a way that can be kept: never a token itself
   * @returns whether to answer; otherwise too many wait already, and the connection is to be cut
   */
  turn(key: string, signal: AbortSignal): Promise<boolean>;
  /** All is well again: the next is a first one. */
  forget(key: string): void;
}

type Known = { count: number; waiting: number; nextAt: number };

/** @param delaysMs how late the second is, the third, …; the last of it stays */
export function pollThrottle(delaysMs: readonly number[], now: () => number): PollThrottle {
  const table = new LRUCache<string, Known>({ max: MAX_KNOWN });
  let waiting = 0;
  return {
    forget: (key) => void table.delete(key),
    async turn(key, signal) {
      const at = now();
      const known = remembered(key, at);
      const delay = known.count === 0 ? 0 : (delaysMs[Math.min(known.count, delaysMs.length) - 1] ?? 0);
      known.count++;
      if (delay === 0) {
        known.nextAt = at;
        return true;
      }
      if (known.waiting >= MAX_WAITING_EACH || waiting >= MAX_WAITING) return false;
      known.nextAt = Math.max(known.nextAt, at) + delay;
      known.waiting++;
      waiting++;
      try {
        await pause(known.nextAt - at, signal);
        return true;
      } finally {
        known.waiting--;
        waiting--;
      }
    },
  };

  function remembered(key: string, at: number): Known {
    const old = table.get(key);
    if (old !== undefined && (old.waiting > 0 || at - old.nextAt < FORGET_MS)) return old;
    const fresh = { count: 0, waiting: 0, nextAt: at };
    table.set(key, fresh);
    return fresh;
  }
}
