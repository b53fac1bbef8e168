import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { requestRate } from '../../../src/gateway/limits/request-rate.ts';

const ONE = 'AAAAAA' as GrantId;
const OTHER = 'BBBBBB' as GrantId;

function stage(perSecond: number, atOnce: number) {
  const clock = { at: 1_000_000 };
  return { clock, rate: requestRate(perSecond, atOnce, () => clock.at) };
}

test('so many come together, then one after the other; each grant for itself', () => {
  const { clock, rate } = stage(10, 3);
  expect([1, 2, 3].map(() => rate.take(ONE))).toEqual([0, 0, 0]);
  expect(rate.take(ONE)).toBe(100);
  expect(rate.take(ONE)).toBe(100);
  expect(rate.take(OTHER)).toBe(0);
  clock.at += 99;
  expect(rate.take(ONE)).toBe(1);
  clock.at += 1;
  expect(rate.take(ONE)).toBe(0);
  expect(rate.take(ONE)).toBe(100);
  clock.at += 300;
  expect([1, 2, 3, 4].map(() => rate.take(ONE))).toEqual([0, 0, 0, 100]);
});

test('a client that waits as long as it was told is let in', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 1_000, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      (perSecond, atOnce) => {
        const { clock, rate } = stage(perSecond, atOnce);
        let waitMs = 0;
        while ((waitMs = rate.take(ONE)) === 0);
        clock.at += waitMs;
        expect(rate.take(ONE)).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test('however they are spread, no more are let in than the rate allows', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (gaps) => {
      const { clock, rate } = stage(10, 5);
      const letIn: number[] = [];
      for (const gap of gaps) {
        clock.at += gap;
        if (rate.take(ONE) === 0) letIn.push(clock.at);
      }
      for (const [from, start] of letIn.entries()) {
        for (let to = from; to < letIn.length; to++) {
          expect(to - from + 1).toBeLessThanOrEqual(5 + ((letIn[to] ?? 0) - start) / 100 + 1e-9);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('a clock that is set back shuts nobody out for longer than a full bucket takes', () => {
  const { clock, rate } = stage(10, 5);
  for (let left = 5; left > 0; left--) rate.take(ONE);
  clock.at -= 3_600_000;
  expect(rate.take(ONE)).toBeLessThanOrEqual(500);
  clock.at += 500;
  expect(rate.take(ONE)).toBe(0);
});

test('ten thousand grants are known; one that is asked for goes on being counted', () => {
  const { clock, rate } = stage(1, 1);
  const id = (at: number): GrantId => `G${String(at)}` as GrantId;
  for (let at = 0; at < 10_000; at++) expect(rate.take(id(at))).toBe(0);
  expect(rate.take(id(9_999))).toBe(1_000);
  expect(rate.take(ONE)).toBe(0);
  expect(rate.take(id(9_999))).toBe(1_000);
  clock.at += 1_000;
  expect(rate.take(OTHER)).toBe(0);
  expect(rate.take(OTHER)).toBe(1_000);
});
