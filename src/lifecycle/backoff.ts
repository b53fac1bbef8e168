import type { Random } from '../ports/clock.ts';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/**
 * How long to wait after so many failed attempts: 1 s, doubled each time up to 60 s, less up to a half so
 * that what failed together does not come back together.
 */
export function backoffMs(attempts: number, random: Random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts, 16));
  const [high = 0, low = 0] = random.bytes(2);
  return Math.round(full * (1 - (high * 256 + low) / 131_072));
}
