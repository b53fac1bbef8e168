import { expect, test } from 'vitest';
import { digestOf } from '../../../src/gateway/writes/txn-id.ts';

const digest = (content: unknown) => digestOf('7F3K9Q', content);

test('a digest is the same whatever the order of keys', () => {
  expect(digest({ a: 1, b: { c: [1, { d: 2, e: 3 }], f: 4 } })).toBe(
    digest({ b: { f: 4, c: [1, { e: 3, d: 2 }] }, a: 1 }),
  );
});

test.each([
  [{ a: 1 }, { a: '1' }],
  [{ a: [1, 2] }, { a: [2, 1] }],
  [{ a: {} }, { a: [] }],
  [{ a: 1 }, [['a', 1]]],
  [{ a: 1 }, { entries: [['a', 1]] }],
  [{ a: { b: 1 } }, { a: { entries: [['b', 1]] } }],
  [{ a: null }, {}],
])('a digest tells %j from %j', (one, other) => {
  expect(digest(one)).not.toBe(digest(other));
});

test('a digest of one grant is no other’s', () => {
  expect(digestOf('7F3K9Q', { a: 1 })).not.toBe(digestOf('8G4M0R', { a: 1 }));
});
