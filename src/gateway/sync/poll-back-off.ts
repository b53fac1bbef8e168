import { pause } from '../http/unless-aborted.ts';

/** An answer faster than this was no wait: the next question is not asked at once. */
const QUICK_MS = 250;
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 1_000;

/** Rests between the rounds of one long-poll, longer each time, where the homeserver does not wait itself. */
export function restBetweenRounds(
  now: () => number,
): (askedAt: number, leftMs: number, signal: AbortSignal) => Promise<void> {
  let restMs = FIRST_REST_MS;
  return async (askedAt, leftMs, signal) => {
    if (now() - askedAt >= QUICK_MS) return;
    await pause(Math.min(restMs, Math.max(0, leftMs)), signal);
    restMs = Math.min(restMs * 2, LONGEST_REST_MS);
  };
}
