import { expect, test } from 'vitest';
import { createSteadyClock } from '../../../src/lifecycle/time/steady-clock.ts';

const NOON = 1_800_000_000_000;
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** A machine, and what its homeserver, or a proxy before it, says the time is. */
function machine(latest: number, wall = NOON) {
  const it = { wall, mono: 1_000 };
  const clock = createSteadyClock({ wall: () => it.wall, monotonic: () => it.mono, latest });
  const pass = (ms: number): void => {
    it.wall += ms;
    it.mono += ms;
  };
  return { it, clock, pass };
}

test('a homeserver that says when the service was stopped gives no token the time back', () => {
  // Stopped for six hours; in the meantime a token has expired. The header is that of the moment of the stop.
  const { clock, pass } = machine(NOON - 6 * HOUR);
  clock.observed(NOON - 6 * HOUR);
  expect(clock.problem()).toMatchObject({ kind: 'disagrees', refusing: true });
  pass(MINUTE);
  clock.observed(NOON - 6 * HOUR + MINUTE);
  expect(clock.problem()).toMatchObject({ refusing: true });
  // And ends none by it: once it tells the truth, all is as it should be.
  clock.observed(NOON + MINUTE);
  expect(clock.problem()).toBeNull();
  expect(clock.now()).toBe(NOON + MINUTE);
});

test('a time that was noted before a stop does not become a witness by waiting', () => {
  const { it, clock, pass } = machine(NOON - 6 * HOUR);
  for (let minute = 0; minute < 60; minute++) {
    clock.observed(it.wall - 6 * HOUR);
    expect(clock.problem()?.refusing).toBe(true);
    pass(MINUTE);
  }
});

test('setting the clock back a little again and again does not make tokens live longer', () => {
  // The homeserver is on the same machine, or gets its time from the same forger.
  const { it, clock, pass } = machine(0);
  clock.observed(it.wall);
  clock.now();
  for (let minute = 0; minute < 6 * 60; minute++) {
    for (let second = 0; second < 60; second++) {
      pass(SECOND);
      clock.now();
    }
    it.wall -= 50 * SECOND;
    clock.observed(it.wall);
  }
  const behind = it.mono - 1_000 - (clock.now() - NOON);
  expect(behind).toBeLessThanOrEqual(MINUTE);
  expect(clock.problem()).toMatchObject({ kind: 'went-back' });
});

test('a clock that runs a little fast and is set right now and then worries nobody', () => {
  const { it, clock, pass } = machine(0);
  clock.observed(it.wall);
  for (let hour = 0; hour < 60 * 24; hour++) {
    pass(HOUR);
    it.wall -= 300;
    clock.observed(it.wall);
    expect(clock.problem()).toBeNull();
    expect(Math.abs(clock.now() - it.wall)).toBeLessThanOrEqual(400);
  }
  expect(it.mono).toBeGreaterThan(59 * DAY);
});
