import { expect, test } from 'vitest';
import type { RoomId } from '../../../src/domain/ids.ts';
import { report, run } from './run.ts';
import type { Weakening } from './session.ts';
import { ROOMS } from './world.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);

test('ten thousand requests of any scope: nothing outside it reaches the homeserver, nor comes back', async () => {
  const figures = await run({ seed, cases: 10_000 });
  expect(report(figures)).toBe(`Nothing was found with seed ${seed}.`);
  // It would mean nothing if nearly all were refused, or nearly all of one kind.
  const { cases, forwarded, passed, served } = figures;
  expect({
    seed,
    much: cases >= 10_000,
    forwarded: forwarded / cases > 0.15,
    passed: passed.length > 25,
    served: served.length > 35,
  }).toEqual({
    seed,
    much: true,
    forwarded: true,
    passed: true,
    served: true,
  });
}, 60_000);

const MUCH: Weakening = (scope, rooms) => ({
  scope: { ...scope, can: [...scope.can, 'read', 'send', 'redact'] },
  rooms,
});
const TYPES: Weakening = ({ types: _types, ...scope }, rooms) => ({
  scope: { ...scope, can: scope.can.map((one) => (one.startsWith('send:') ? 'send' : one)) },
  rooms,
});
const READING: Weakening = (scope, rooms) => ({
  scope: { ...scope, can: scope.can.map((one) => (one.startsWith('read:') ? 'read:m.*' : one)) },
  rooms,
});
const ROOM: Weakening = (scope, rooms) => ({
  scope,
  rooms: [...rooms, ROOMS.find((room) => !rooms.includes(room)) as RoomId],
});
const RULES: Weakening = ({ rules: _rules, from: _from, ...scope }, rooms) => ({ scope, rooms });

test.each([
  ['a room too many', ROOM],
  ['capabilities too many', MUCH],
  ['types that are not looked at', TYPES],
  ['types that are read too many', READING],
  ['rules and networks that are not looked at', RULES],
])(
  'it is noticed where the gateway is wrong: %s',
  async (_name, weaken) => {
    const { found } = await run({ seed, cases: 20_000, weaken });
    expect({ seed, found: found !== null }).toEqual({ seed, found: true });
    // Made small: one request, or the few it takes.
    expect(found?.play.samples.length).toBeLessThan(4);
  },
  60_000,
);
