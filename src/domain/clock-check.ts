import type { ClockProblem } from './history-news.ts';

const MINUTE_MS = 60_000;
/** If clocks differ by more, no token is accepted until it is known which one is right. */
const REFUSE_MS = 5 * MINUTE_MS;
/** No service stands still for longer without anybody noticing; a clock that says so is more likely wrong. */
const FAR_MS = 366 * 86_400_000;

/** What is known of the time. All epoch ms. */
export type TimeFacts = {
  /** The machine's clock. */
  readonly wall: number;
  /** The latest time that counted, carried on by a clock that does not jump; 0: none yet. */
  readonly carried: number;
  /**
   * This process has seen it agree with the machine's clock. A time recorded before a restart does not count
   * as confirmed, since it stood still meanwhile.
   */
  readonly lived: boolean;
  /** What the homeserver said, carried on so; null: it was not asked yet. */
  readonly homeserver: number | null;
  /**
   * The machine's clock has jumped since the homeserver was asked: a suspended machine looks the same as a
   * wrong clock.
   */
  readonly jumped: boolean;
  /**
   * It agreed with the homeserver's once, and has not jumped since: where they part, it is the homeserver's
   * that was set.
   */
  readonly settled: boolean;
};

/** The time that counts, and what is wrong with it. It is never earlier than one that counted before. */
export type ClockReading = { readonly now: number; readonly problem: ClockProblem | null };

/**
 * Which time counts. Of two that are possible a token expires by the later one, but nothing is ended for good
 * by a clock that nothing else agrees with: no token is honoured then, until it is settled.
 */
export function checkClock({ wall, carried, lived, homeserver, jumped, settled }: TimeFacts): ClockReading {
  const isFar = (at: number): boolean => carried > 0 && at - carried > FAR_MS;
  if (jumped)
    return {
      now: carried > 0 ? carried : wall,
      problem: worry(wall < carried ? 'went-back' : 'disagrees', true, wall - carried),
    };
  const gap = homeserver === null ? 0 : wall - homeserver;
  if (homeserver !== null && Math.abs(gap) > REFUSE_MS) {
    if (settled) return { now: Math.max(carried, wall), problem: worry('disagrees', false, gap) };
    // Two of three agree: the machine's clock was set wrong under a service that knew better.
    if (lived && Math.abs(homeserver - carried) <= MINUTE_MS)
      return { now: carried, problem: worry('disagrees', false, gap) };
    // Not even the earlier of the two: what is carried on must stay a witness of its own.
    return {
      now: carried > 0 ? carried : Math.min(wall, homeserver),
      problem: worry('disagrees', true, gap),
    };
  }
  if (isFar(wall)) return { now: carried, problem: worry('far-ahead', true, wall - carried) };
  if (wall < carried - MINUTE_MS) return { now: carried, problem: worry('went-back', false, wall - carried) };
  return { now: wall, problem: Math.abs(gap) > MINUTE_MS ? worry('disagrees', false, gap) : null };
}

function worry(kind: ClockProblem['kind'], refusing: boolean, byMs: number): ClockProblem {
  return { kind, refusing, byMs };
}
