import type { ClockProblem } from '../../domain/history-news.ts';
import { checkClock } from '../../domain/clock-check.ts';
import type { Clock } from '../../ports/clock.ts';

/** So far two clocks agree. */
const AGREE_MS = 60_000;
/** A machine's clock moved by so much against the one that does not jump was set, or the machine slept. */
const JUMP_MS = 60_000;

/**
 * How often small steps back are made up one's mind to: what is less than `JUMP_MS` in such a time is the
 * clock being set right.
 */
const REBASE_MS = 86_400_000;

/** A clock that never goes back, and knows when it cannot be trusted. */
export type SteadyClock = Clock & {
  /** What is wrong with the time just now. */
  problem(): ClockProblem | null;
  /** The homeserver's clock was read just now. */
  observed(homeserverAt: number): void;
};

/**
 * The time that counts, by `checkClock`.
 * @param parts.latest the latest time that was seen before this process; 0: none
 * @param parts.monotonic milliseconds of a clock that does not jump
 */
export function createSteadyClock(parts: {
  readonly wall: () => number;
  readonly monotonic: () => number;
  readonly latest: number;
}): SteadyClock {
  let last = parts.latest;
  // How far time was ahead of the clock that does not jump, at the furthest: small steps back must not add
  // up.
  let furthest = last - parts.monotonic();
  let furthestMono = parts.monotonic();
  let lived = false;
  let worried: ClockProblem | null = null;
  let settledOffset: number | null = null;
  let seen: { readonly at: number; readonly mono: number; readonly offset: number } | null = null;

  const now = (): number => {
    const [wall, mono] = [parts.wall(), parts.monotonic()];
    const jumped = seen !== null && Math.abs(wall - mono - seen.offset) > JUMP_MS;
    const settled = settledOffset !== null && Math.abs(wall - mono - settledOffset) <= JUMP_MS;
    const homeserver = seen === null ? null : seen.at + mono - seen.mono;
    const carried = last === 0 ? 0 : furthest + mono;
    const judged = checkClock({ wall, carried, lived, homeserver, jumped, settled });
    worried = judged.problem;
    // With nothing to carry on from, a time that is in doubt must not become what is carried on.
    if (last === 0 && worried?.refusing === true) return Math.floor(judged.now);
    if (worried === null && homeserver !== null) lived = true;
    const isStale = worried === null && mono - furthestMono > REBASE_MS;
    if (last === 0 || isStale || judged.now - mono >= furthest) {
      furthest = judged.now - mono;
      furthestMono = mono;
    }
    // Where it stands a little behind what counted before, it stands still until it has caught up. Whole: it
    // is stored so.
    last = last === 0 ? Math.floor(judged.now) : Math.max(last, Math.floor(judged.now));
    return last;
  };
  return {
    now,
    problem: () => {
      now();
      return worried;
    },
    observed: (homeserverAt) => {
      const mono = parts.monotonic();
      const wall = parts.wall();
      seen = { at: homeserverAt, mono, offset: wall - mono };
      if (Math.abs(wall - homeserverAt) <= AGREE_MS) settledOffset = wall - mono;
      now();
    },
  };
}
