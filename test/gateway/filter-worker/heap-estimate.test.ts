import { expect, test } from 'vitest';
import { heapEstimate } from '../../../src/gateway/filter-worker/heap-estimate.ts';

const MIB = 1_048_576;

/** What parsing takes, as V8 counts it. */
function heapOf(text: string): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const parsed: unknown = JSON.parse(text);
  const after = process.memoryUsage().heapUsed;
  expect(parsed).toBeDefined();
  return after - before;
}

test.each([
  ['empty objects', '{}'],
  ['empty lists', '[]'],
  ['numbers', '1'],
  ['fractions', '1.5'],
  ['one member', '{"a":1}'],
  ['nested', '[[[[1]]]]'],
  ['short texts', '"x"'],
  [
    'events',
    JSON.stringify({ type: 'm.room.message', sender: '@a:b', content: { body: 'hello', n: [1, 2] } }),
  ],
])('%s take no more as objects than is estimated', (_, one) => {
  const text = `[${Array.from({ length: Math.floor((2 * MIB) / (one.length + 1)) }, () => one).join(',')}]`;
  const estimate = heapEstimate(Buffer.from(text));
  expect(estimate).toBeGreaterThan(heapOf(text) * 0.9);
  expect(estimate).toBeLessThan(text.length * 30);
});

test('a long text counts little more than its length, whatever is in it', () => {
  const text = JSON.stringify(['{},[]:"\\'.repeat(100_000)]);
  expect(heapEstimate(Buffer.from(text))).toBeLessThan(text.length * 1.1);
});

test('what ends in the middle is no trouble', () => {
  for (const text of ['', '"', '"\\', '{"a":"b\\'])
    expect(heapEstimate(Buffer.from(text))).toBeLessThan(1_000);
});
