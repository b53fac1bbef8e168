import { expect, test } from 'vitest';
import type { GrantId, RoomId } from '../../../src/domain/ids.ts';
import type { MediaAddress } from '../../../src/domain/media-address.ts';
import { createUploads } from '../../../src/gateway/media/uploads.ts';
import { knownReferences } from '../../../src/gateway/media/known-references.ts';
import { DEV, OPS, SECRET } from '../support/grants.ts';

const [A, B, C] = ['A', 'B', 'C'] as unknown as [GrantId, GrantId, GrantId];
const file = (at: number) => `mxc://hs.test/${at}` as MediaAddress;
const ops = new Set([OPS]);

test('what was shown counts in the rooms that showed it', () => {
  const shown = knownReferences();
  shown.remember(A, file(1), OPS);
  shown.remember(A, file(1), DEV);
  expect(shown.has(A, file(1), ops)).toBe(true);
  expect(shown.has(A, file(1), new Set([SECRET, DEV]))).toBe(true);
  expect(shown.has(A, file(1), new Set([SECRET]))).toBe(false);
  expect(shown.has(A, file(1), new Set())).toBe(false);
  expect(shown.has(A, file(2), ops)).toBe(false);
  expect(shown.has(B, file(1), ops)).toBe(false);
  shown.forget(A);
  expect(shown.has(A, file(1), ops)).toBe(false);
});

test('a file that many rooms show stays open by the latest', () => {
  const shown = knownReferences();
  const rooms = Array.from({ length: 9 }, (_, at) => `!room${at}:hs.test` as RoomId);
  for (const room of rooms) shown.remember(A, file(1), room);
  expect(rooms.filter((room) => shown.has(A, file(1), new Set([room])))).toEqual(rooms.slice(-4));
});

test('of one grant the longest unseen is forgotten first', () => {
  const shown = knownReferences(3, 100);
  for (const at of [1, 2, 3, 1, 4]) shown.remember(A, file(at), OPS);
  expect([1, 2, 3, 4].filter((at) => shown.has(A, file(at), ops))).toEqual([1, 3, 4]);
});

test('overall, whole grants that were quiet longest are, and never the one that is shown something', () => {
  const shown = knownReferences(4, 5);
  for (const at of [1, 2]) shown.remember(A, file(at), OPS);
  for (const at of [1, 2]) shown.remember(B, file(at), OPS);
  shown.remember(A, file(3), OPS);
  shown.remember(C, file(1), OPS);
  expect(shown.has(B, file(1), ops)).toBe(false);
  expect(shown.has(A, file(1), ops)).toBe(true);
  expect(shown.has(C, file(1), ops)).toBe(true);
});

test('addresses that a grant made are filled once, by it, and then its own', () => {
  const own = createUploads();
  own.created(A, file(1));
  expect([own.mayFill(A, file(1)), own.mayFill(B, file(1)), own.mayFetch(A, file(1))]).toEqual([
    true,
    false,
    false,
  ]);
  own.uploaded(A, file(1));
  expect([own.mayFill(A, file(1)), own.mayFetch(A, file(1)), own.mayFetch(B, file(1))]).toEqual([
    false,
    true,
    false,
  ]);
  for (let at = 2; at < 600; at++) own.created(A, file(at));
  expect([own.mayFetch(A, file(1)), own.mayFill(A, file(599))]).toEqual([false, true]);
  own.forget(A);
  expect(own.mayFill(A, file(599))).toBe(false);
});
