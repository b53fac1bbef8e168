import type { ClockProblem } from '../../domain/history-news.ts';
import type { AnchorStore } from '../../ports/anchors.ts';
import type { Services } from '../services.ts';
import { historyMessage } from '../rows/history-row.ts';
import { problemOf } from '../problem.ts';
import type { SteadyClock } from './steady-clock.ts';

/**
 * How often the clock is looked at, the homeserver's read, the time noted; how long a worry lasts before
 * people are told.
 */
export type ClockIntervals = {
  readonly lookMs: number;
  readonly askMs: number;
  readonly worriedAskMs: number;
  readonly tellAfterMs: number;
};

const PACE: ClockIntervals = { lookMs: 1_000, askMs: 60_000, worriedAskMs: 5_000, tellAfterMs: 10_000 };

/**
 * Reads the homeserver's clock every minute, at once when the machine's has jumped; notes how far time has
 * come, so that a restart knows; and tells the control room once of each thing that is wrong.
 * @param homeserverAt its time now, epoch ms; null where it could not be read
 */
export function watchClock(
  services: Pick<Services, 'ledger' | 'random' | 'log'> & { readonly clock: SteadyClock },
  store: Pick<AnchorStore, 'recordSeen'>,
  homeserverAt: () => Promise<number | null>,
  pace: ClockIntervals = PACE,
): { readonly stop: () => Promise<void> } {
  const { clock, ledger, log, random } = services;
  let askAt = performance.now() + pace.askMs;
  let wasWorried = false;
  let since = 0;
  let told: string | null = null;
  let running: Promise<void> | null = null;

  const note = async (): Promise<void> => {
    if (clock.problem()?.refusing !== true) await store.recordSeen(clock.now());
  };

  const ask = async (): Promise<void> => {
    const at = await homeserverAt();
    if (at !== null) clock.observed(at);
    await note();
  };

  const tell = async (worry: ClockProblem): Promise<void> => {
    const key = `${worry.kind} ${String(worry.refusing)}`;
    if (told === key || performance.now() - since < pace.tellAfterMs) return;
    const at = clock.now();
    log.error('the time cannot be relied on', {
      kind: worry.kind,
      refusing: worry.refusing,
      byMs: Math.round(worry.byMs),
    });
    await ledger.commit({
      at,
      messages: [
        historyMessage({ what: 'clock', why: { ...worry, byMs: Math.round(worry.byMs) } }, at, random),
      ],
    });
    told = key;
  };

  const look = async (): Promise<void> => {
    const worry = clock.problem();
    const isRefusing = worry?.refusing === true;
    if (worry === null && told !== null) {
      log.info('the time can be relied on again');
      told = null;
    }
    if (worry === null || !wasWorried) since = performance.now();
    const isNew = isRefusing && !wasWorried;
    wasWorried = worry !== null;
    if (isNew || performance.now() >= askAt) {
      askAt = performance.now() + (isRefusing ? pace.worriedAskMs : pace.askMs);
      await ask();
    }
    const left = clock.problem();
    if (left !== null) await tell(left);
  };

  const timer = setInterval(() => {
    running ??= look()
      .catch((error: unknown) =>
        log.warn('the clock could not be looked after', { problem: problemOf(error) }),
      )
      .finally(() => (running = null));
  }, pace.lookMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
      await note().catch(() => undefined);
    },
  };
}
