import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { DurationHistogram } from '../../../src/telemetry/metrics/duration-histogram.ts';
import { exposition, numbersOf } from '../../../src/telemetry/metrics/exposition.ts';

const BOUNDS = [0.001, 0.01, 0.1];

test('it says what the library’s own histogram says', async () => {
  const seconds = fc.oneof(fc.constantFrom(0, ...BOUNDS), fc.double({ min: 0, max: 1, noNaN: true }));
  const observations = fc.array(fc.tuple(fc.constantFrom('sync', 'getRoomEvents'), seconds), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(observations, async (all) => {
      const ours = new Registry();
      const theirs = new Registry();
      const histogram = new DurationHistogram('seconds', 'Time.', BOUNDS, ours);
      const reference = new Histogram({
        name: 'seconds',
        help: 'Time.',
        labelNames: ['operation'] as const,
        buckets: BOUNDS,
        registers: [theirs],
      });
      for (const [operation, took] of all) {
        histogram.add(operation, took);
        reference.observe({ operation }, took);
      }
      const parts = await Promise.all([ours, theirs].map(async (one) => [await numbersOf(one)]));
      const [mine, wanted] = await Promise.all(parts.map((part) => exposition(part)));
      expect(mine?.split('\n').toSorted()).toEqual(wanted?.split('\n').toSorted());
    }),
  );
});
