import { anchorContent } from '../../domain/anchor.ts';
import type { Change } from '../../domain/change.ts';
import { problemOf } from '../problem.ts';
import { compareState } from './compare-state.ts';
import { recordHomeserverRestored, recordLostState } from './record-findings.ts';
import { type AnchorParts, lastPosted, reachOf } from './anchor-parts.ts';

/**
 * How often an anchor is posted, how soon after power was taken away, how often the last one is looked for,
 * and so on.
 */
export type AnchorIntervals = {
  readonly everyMs: number;
  readonly soonMs: number;
  readonly lookEveryMs: number;
  readonly retryMs: number;
  readonly lastTryMs: number;
};

const PACE: AnchorIntervals = {
  everyMs: 600_000,
  soonMs: 1_000,
  lookEveryMs: 120_000,
  retryMs: 15_000,
  lastTryMs: 4_000,
};

/**
 * Whether the state was compared with the room at the start; where it could not be, that is done before
 * anything is posted.
 */
export type AnchorStart = {
  readonly compared: boolean;
  readonly onOther: () => void;
  readonly leaseMs: number;
};

/** Posts where the ledger stands. */
export type AnchorPoster = {
  /**
   * Posts where it stands now, if it stands elsewhere than was posted last; false: the homeserver did not
   * take it.
   */
  readonly now: () => Promise<boolean>;
  /** Looks whether the homeserver still has the last one: it was away, and may be another since. */
  readonly look: () => void;
  /** Posts a last time, if that can be done at once. */
  readonly stop: () => Promise<void>;
};

/**
 * Posts anchors to the control room: within seconds of a change that takes power away, otherwise every ten
 * minutes where something changed, and at the end. On the way it looks whether the homeserver still has the
 * last one. Nothing waits for it: where the homeserver is away it is tried again.
 */
export function startAnchors(
  parts: AnchorParts,
  start: AnchorStart,
  pace: AnchorIntervals = PACE,
): AnchorPoster {
  let { compared } = start;
  let other = false;
  const { ledger, store, log } = parts;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let lookAt = performance.now() + pace.lookEveryMs;
  let postAt = 0;
  let running: Promise<boolean> | null = null;
  let stopped = false;

  const plan = (inMs: number): void => {
    const at = performance.now() + inMs;
    if (stopped || at >= dueAt) return;
    dueAt = at;
    clearTimeout(timer);
    timer = setTimeout(() => void tick(), inMs);
    timer.unref();
  };

  const once = async (): Promise<boolean> => {
    try {
      if (!compared) {
        const { state } = await compareState(parts);
        compared = true;
        if (state.kind === 'lost') await recordLostState(parts, state.anchor, start.leaseMs);
        other = state.kind === 'held';
        if (other) start.onOther();
      }
      // An old copy must not post anchors next to those of the true state.
      if (other) return true;
      const posted = await lastPosted(store, parts.anchorage);
      const isLooking = posted !== null && performance.now() >= lookAt;
      const isGone = isLooking && !(await parts.anchorage.has(posted.eventId));
      if (isLooking) lookAt = performance.now() + pace.lookEveryMs;
      if (isGone || performance.now() >= postAt) {
        await post(parts, isGone);
        postAt = performance.now() + pace.everyMs;
      }
      // Only now: where the bot may not even write there, that the event is out of sight says nothing.
      if (isGone) {
        const killing = await recordHomeserverRestored(parts);
        log.warn('the homeserver has forgotten an anchor: kept tokens are logged out again', { killing });
      }
      return true;
    } catch (error) {
      log.warn('no anchor posted', { problem: problemOf(error) });
      return false;
    }
  };

  const now = async (): Promise<boolean> => {
    postAt = 0;
    return go();
  };

  const go = async (): Promise<boolean> => {
    // What changed while one was on its way is in the next one.
    if (running !== null) await running;
    running ??= once().finally(() => (running = null));
    return running;
  };

  const tick = async (): Promise<void> => {
    dueAt = Number.POSITIVE_INFINITY;
    const done = await go();
    plan(done ? Math.min(pace.everyMs, pace.lookEveryMs) : pace.retryMs);
  };

  const unsubscribe = ledger.onCommitted((change) => {
    if (!takesPower(change)) return;
    postAt = 0;
    plan(pace.soonMs);
  });
  plan(pace.soonMs);
  return {
    now,
    look: () => {
      lookAt = 0;
      plan(0);
    },
    stop: async () => {
      stopped = true;
      unsubscribe();
      clearTimeout(timer);
      await Promise.race([now(), new Promise((resolve) => setTimeout(resolve, pace.lastTryMs).unref())]);
    },
  };
}

/** Whether this change takes power away, which an old copy would give back. */
export function takesPower(change: Change): boolean {
  const over = (change.grants ?? []).some(({ state, suspended }) => state === 'ended' || suspended);
  return over || (change.repins ?? []).length > 0 || (change.excluded ?? []).length > 0;
}

/** Posts where the ledger stands, unless that is what was posted last. */
async function post(
  { ledger, store, anchorage, mac, clock, random }: AnchorParts,
  again: boolean,
): Promise<void> {
  const [{ anchor: standing }, posted] = await Promise.all([
    reachOf(ledger, store),
    lastPosted(store, anchorage),
  ]);
  const last = posted?.anchor;
  const isSame =
    last !== undefined &&
    last.generation === standing.generation &&
    last.seq === standing.seq &&
    last.uses === standing.uses;
  if (isSame && !again) return;
  const anchor = { ...standing, at: clock.now() };
  const content = anchorContent(anchor, anchorage.roomId, mac);
  const eventId = await anchorage.post(content, `anchor-${Buffer.from(random.bytes(12)).toString('hex')}`);
  await store.recordPosted({ anchor, eventId, roomId: anchorage.roomId });
}
