import { vi } from 'vitest';
import { settled } from './wait.ts';

/** The timers of this process, run by the test. */
export interface FakeTimers extends Disposable {
  /** Lets so many milliseconds pass at once, with everything that is due in them. */
  pass(ms: number): Promise<void>;
}

/**
 * Until it is disposed of, `setTimeout`, `setInterval` and `performance.now()` move by `pass` alone. What was
 * started before keeps the real clock.
 */
export function fakeTimers(): FakeTimers {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  return {
    async pass(ms) {
      await vi.advanceTimersByTimeAsync(ms);
      await settled();
    },
    [Symbol.dispose]: () => void vi.useRealTimers(),
  };
}
