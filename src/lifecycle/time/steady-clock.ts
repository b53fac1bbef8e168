import type { ClockWorry } from '../../domain/history-news.ts';
import { judgeTime } from '../../domain/judged-time.ts';
import type { Clock } from '../../ports/clock.ts';

/** So far two clocks agree. */
const AGREE_MS = 60_000;
/** A machine's clock moved by so much against the one that does not jump was set, or the machine slept. */
const JUMP_MS = 60_000;

/** A clock that never goes back, and knows when it cannot be trusted. */
export type SteadyClock = Clock & {
  /** What is wrong with the time just now. */
  worry(): ClockWorry | null;
  /** The homeserver's clock was read just now. */
  observed(homeserverAt: number): void;
};

/**
 * The time that counts, by `judgeTime`.
 * @param parts.latest the latest time that was seen before this process; 0: none
 * @param parts.monotonic milliseconds of a clock that does not jump
 */
export function createSteadyClock(parts: {
  readonly wall: () => number;
  readonly monotonic: () => number;
  readonly latest: number;
}): SteadyClock {
  let last = parts.latest;
  let lastMono = parts.monotonic();
  let worried: ClockWorry | null = null;
  let settledOffset: number | null = null;
  let seen: { readonly at: number; readonly mono: number; readonly offset: number } | null = null;

  const now = (): number => {
    const [wall, mono] = [parts.wall(), parts.monotonic()];
    const jumped = seen !== null && Math.abs(wall - mono - seen.offset) > JUMP_MS;
    const settled = settledOffset !== null && Math.abs(wall - mono - settledOffset) <= JUMP_MS;
    const homeserver = seen === null ? null : seen.at + mono - seen.mono;
    const carried = last === 0 ? 0 : last + mono - lastMono;
    const judged = judgeTime({ wall, carried, homeserver, jumped, settled });
    worried = judged.worry;
    // With nothing to carry on from, a time that is in doubt must not become what is carried on.
    if (last === 0 && worried?.refusing === true) return Math.floor(judged.now);
    // Where it stands a little behind what counted before, it stands still until it has caught up. Whole: it is stored so.
    if (judged.now >= last + 1 || last === 0) {
      last = Math.floor(judged.now);
      lastMono = mono;
    } else if (judged.worry === null) lastMono = mono;
    return last;
  };
  return {
    now,
    worry: () => {
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
