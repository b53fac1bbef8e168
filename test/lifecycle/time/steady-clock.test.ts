import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import { createSteadyClock } from '../../../src/lifecycle/time/steady-clock.ts';
import { watchClock } from '../../../src/lifecycle/time/watch-clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { fakeTimers } from '../../support/fake-timers.ts';

const NOON = 1_800_000_000_000;
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** A machine whose clock can be set, and which can sleep. */
function machine(latest = 0) {
  const it = { wall: NOON, mono: 5_000.25 };
  const clock = createSteadyClock({ wall: () => it.wall, monotonic: () => it.mono, latest });
  const pass = (ms: number): void => {
    it.wall += ms;
    it.mono += ms;
  };
  return { it, clock, pass, set: (ms: number) => void (it.wall += ms) };
}

describe('a steady clock', () => {
  test('follows the machine, in whole milliseconds', () => {
    const { clock, pass, it } = machine();
    clock.observed(NOON);
    expect(clock.now()).toBe(NOON);
    pass(1_234.5);
    expect(clock.now()).toBe(NOON + 1_234);
    it.wall = Math.floor(it.wall);
    expect(clock.problem()).toBeNull();
  });

  test('stands still for a small step back, rather than go back', () => {
    const { clock, pass, set } = machine();
    clock.observed(NOON);
    expect(clock.now()).toBe(NOON);
    set(-10 * SECOND);
    pass(SECOND);
    expect(clock.now()).toBe(NOON);
    pass(20 * SECOND);
    expect(clock.now()).toBe(NOON + 11 * SECOND);
    expect(clock.problem()).toBeNull();
  });

  test('goes on by itself when the machine’s clock is set back, and no token lives longer for it', () => {
    const { clock, pass, set } = machine();
    clock.observed(NOON);
    clock.now();
    set(-DAY);
    pass(HOUR);
    expect(clock.now()).toBe(NOON + HOUR);
    expect(clock.problem()).toMatchObject({ kind: 'went-back', refusing: true });
    // The homeserver is on the same machine: it says the same wrong time.
    clock.observed(NOON - DAY + HOUR);
    pass(HOUR);
    expect(clock.now()).toBe(NOON + 2 * HOUR);
    expect(clock.problem()).toMatchObject({ kind: 'went-back', refusing: false });
    set(DAY);
    clock.observed(NOON + 2 * HOUR);
    expect(clock.problem()).toBeNull();
  });

  test('does not believe a leap of ten years, nor end anything by it', () => {
    const { clock, pass, set } = machine();
    clock.observed(NOON);
    clock.now();
    set(3_650 * DAY);
    expect(clock.problem()?.refusing).toBe(true);
    expect(clock.now()).toBe(NOON);
    pass(MINUTE);
    clock.observed(NOON + MINUTE);
    // Two of three agree: it goes on by the right time, and says that the machine’s is wrong.
    expect(clock.problem()).toMatchObject({ kind: 'disagrees', refusing: false });
    expect(clock.now()).toBe(NOON + MINUTE);
  });

  test('is not led astray by a homeserver whose clock is set under it', () => {
    const { clock, pass } = machine();
    clock.observed(NOON);
    pass(MINUTE);
    for (const off of [DAY, -DAY]) {
      clock.observed(NOON + MINUTE + off);
      expect(clock.now()).toBe(NOON + MINUTE);
      expect(clock.problem()).toMatchObject({ kind: 'disagrees', refusing: false });
    }
  });

  test('does not take its own doubt for a witness', () => {
    for (const start of [0, NOON]) {
      const { clock, pass, set, it } = machine(start);
      set(HOUR);
      clock.observed(it.wall - 10 * MINUTE);
      expect(clock.problem()?.refusing).toBe(true);
      pass(MINUTE);
      clock.observed(it.wall - 10 * MINUTE);
      expect(clock.problem()?.refusing).toBe(true);
    }
  });

  test('believes a machine that slept, once the homeserver says the same', () => {
    const { clock, set } = machine();
    clock.observed(NOON);
    clock.now();
    set(8 * HOUR);
    expect(clock.problem()?.refusing).toBe(true);
    clock.observed(NOON + 8 * HOUR);
    expect(clock.problem()).toBeNull();
    expect(clock.now()).toBe(NOON + 8 * HOUR);
  });

  test('knows after a restart how far time had come', () => {
    const { clock, pass } = machine(NOON + DAY);
    clock.observed(NOON);
    expect(clock.now()).toBe(NOON + DAY);
    pass(MINUTE);
    expect(clock.now()).toBe(NOON + DAY + MINUTE);
    expect(clock.problem()).toMatchObject({ kind: 'went-back', refusing: false });
  });

  test('never goes back, whatever happens to it', () => {
    const step = fc.record({
      pass: fc.nat(2 * HOUR),
      set: fc.integer({ min: -9_000 * DAY, max: 9_000 * DAY }),
      ask: fc.option(fc.integer({ min: -DAY, max: DAY })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { clock, pass, set, it } = machine();
        let before = clock.now();
        for (const each of steps) {
          pass(each.pass);
          set(each.set);
          if (each.ask !== null) clock.observed(it.wall + each.ask);
          expect(clock.now()).toBeGreaterThanOrEqual(before);
          before = clock.now();
          expect(Number.isSafeInteger(before)).toBe(true);
        }
      }),
    );
  });
});

describe('the watch over the clock', () => {
  const parts = () => {
    const { it, clock, pass, set } = machine();
    clock.observed(NOON);
    clock.now();
    const told: Message[] = [];
    const noted: number[] = [];
    const ledger = {
      commit: async ({ messages = [] }: { messages?: readonly Message[] }) => (
        told.push(...messages),
        'committed'
      ),
    };
    const services = {
      ledger,
      clock,
      random: { bytes: (count: number) => new Uint8Array(count) },
      log: silentLog,
    };
    const store = { recordSeen: async (at: number) => void noted.push(at) };
    return { it, clock, pass, set, told, noted, services: services as never, store };
  };
  const pace = { lookMs: 2, askMs: 20, worriedAskMs: 5, tellAfterMs: 30 };

  test('asks the homeserver at once after a jump, and what is settled by that is told to nobody', async () => {
    const { it, clock, set, told, services, store } = parts();
    const watch = watchClock(services, store, async () => it.wall, { ...pace, askMs: 60_000 });
    set(HOUR);
    expect(clock.problem()?.refusing).toBe(true);
    await expect.poll(() => clock.problem()).toBeNull();
    await watch.stop();
    expect(told).toEqual([]);
  });

  test('tells once of what lasts, and notes no time that cannot be relied on', async () => {
    const { it, set, told, noted, services, store } = parts();
    using timers = fakeTimers();
    const watch = watchClock(services, store, async () => it.wall - 10 * MINUTE, pace);
    set(HOUR);
    await timers.pass(100);
    expect(told.length).toBe(1);
    expect(told[0]?.body).toMatchObject({
      kind: 'history',
      news: { what: 'clock', why: { refusing: true } },
    });
    const count = noted.length;
    await timers.pass(1_000);
    await watch.stop();
    expect(told.length).toBe(1);
    expect(noted.length).toBe(count);
  });
});
