import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkClock, type TimeFacts } from '../../src/domain/clock-check.ts';

const NOON = 1_800_000_000_000;
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const YEARS = 10 * 365 * DAY;
const judged = (over: Partial<TimeFacts>) =>
  checkClock({
    wall: NOON,
    carried: NOON,
    lived: true,
    homeserver: NOON,
    jumped: false,
    settled: false,
    ...over,
  });

describe('the time that counts', () => {
  test.each<[string, Partial<TimeFacts>, number, string | null, boolean]>([
    ['all agree', {}, NOON, null, false],
    ['a second off', { wall: NOON + SECOND }, NOON + SECOND, null, false],
    ['a first start', { carried: 0 }, NOON, null, false],
    ['a first start, homeserver not asked', { carried: 0, homeserver: null }, NOON, null, false],
    ['a month switched off', { carried: NOON - 30 * DAY }, NOON, null, false],
    [
      'two minutes ahead of the homeserver',
      { wall: NOON + 2 * MINUTE },
      NOON + 2 * MINUTE,
      'disagrees',
      false,
    ],
    [
      'back an hour, with the homeserver on the same machine',
      { wall: NOON - HOUR, homeserver: NOON - HOUR },
      NOON,
      'went-back',
      false,
    ],
    ['back an hour, against both others', { wall: NOON - HOUR }, NOON, 'disagrees', false],
    [
      'a homeserver that says when we were stopped',
      { lived: false, homeserver: NOON - HOUR, carried: NOON - HOUR },
      NOON - HOUR,
      'disagrees',
      true,
    ],
    ['ten years ahead, against both others', { wall: NOON + YEARS }, NOON, 'disagrees', false],
    [
      'ten years ahead after a night switched off',
      { wall: NOON + YEARS, carried: NOON - 8 * HOUR },
      NOON - 8 * HOUR,
      'disagrees',
      true,
    ],
    ['a first start, ten years ahead', { wall: NOON + YEARS, carried: 0 }, NOON, 'disagrees', true],
    [
      'ten years ahead, with the homeserver',
      { wall: NOON + YEARS, homeserver: NOON + YEARS },
      NOON,
      'far-ahead',
      true,
    ],
    [
      'a homeserver ten years ahead, after a night',
      { homeserver: NOON + YEARS, carried: NOON - 8 * HOUR },
      NOON - 8 * HOUR,
      'disagrees',
      true,
    ],
    ['a homeserver a day behind', { homeserver: NOON - DAY }, NOON, 'disagrees', true],
    [
      'a homeserver set to another day under us',
      { homeserver: NOON - DAY, settled: true },
      NOON,
      'disagrees',
      false,
    ],
    ['jumped ahead, homeserver not asked since', { wall: NOON + DAY, jumped: true }, NOON, 'disagrees', true],
    [
      'jumped on a first start, before any time counted',
      { carried: 0, wall: NOON + DAY, jumped: true },
      NOON + DAY,
      'disagrees',
      true,
    ],
    ['jumped back, homeserver not asked since', { wall: NOON - DAY, jumped: true }, NOON, 'went-back', true],
  ])('%s', (_, facts, now, kind, refusing) => {
    const found = judged(facts);
    expect(found.now).toBe(now);
    expect(found.problem?.kind ?? null).toBe(kind);
    expect(found.problem?.refusing ?? false).toBe(refusing);
  });

  test('never goes back, but for a minute that is waited out, and one clock alone never takes it far', () => {
    const at = fc.integer({ min: -20 * YEARS, max: 20 * YEARS });
    fc.assert(
      fc.property(at, at, fc.boolean(), (wall, homeserver, jumped) => {
        const { now, problem: worry } = judged({ wall: NOON + wall, homeserver: NOON + homeserver, jumped });
        expect(now).toBeGreaterThanOrEqual(NOON - MINUTE);
        expect(now - NOON).toBeLessThanOrEqual(366 * DAY);
        // Where no worry stops it, no token lives on a time that is behind what was seen, or far from the
        // homeserver's.
        if (worry === null) expect(Math.abs(wall - homeserver)).toBeLessThanOrEqual(MINUTE);
        if (worry?.refusing !== true && Math.abs(now - (NOON + homeserver)) > 5 * MINUTE)
          expect(worry?.kind).toBe('went-back');
      }),
    );
  });
});
