import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { type CoarseTimer, coarseTimer, type Expiring } from '../../../src/gateway/limits/coarse-timer.ts';
import { memoryBudget } from '../../../src/gateway/limits/memory-budget.ts';

const MIB = 1_048_576;

/** A budget of four mebibytes for a grant and six for all, and a clock that is set by hand. */
function setUp() {
  const waiting = new Set<Expiring>();
  let now = 0;
  const timer: CoarseTimer = {
    now: () => now,
    add: (entry) => void waiting.add(entry),
    delete: (entry) => void waiting.delete(entry),
    close: () => undefined,
  };
  const budget = memoryBudget(4 * MIB, 6 * MIB, timer);
  const order: string[] = [];
  const cut: string[] = [];
  return {
    order,
    cut,
    /** One request of a grant, named by its first letter, with a large answer. */
    ask: (name: string, mib: number) => {
      const reader = {
        writtenAt: null as number | null,
        endSlowReading() {
          cut.push(name);
          memory.close();
        },
      };
      const memory = budget.reserve(name.slice(0, 1) as GrantId, reader);
      const turn = memory.waitForTurn(mib * MIB, () => void order.push(name));
      if (turn.isTaken) order.push(name);
      return {
        /** The answer came whole, and is handed to the system. */
        write() {
          turn.end(mib * MIB);
          reader.writtenAt = now;
        },
        /** Nothing is asked for any more. */
        leave() {
          turn.end(0);
          memory.close();
        },
      };
    },
    pass: (ms: number): void => {
      for (const end = now + ms; now < end;) {
        now += 500;
        for (const entry of Array.from(waiting)) {
          if (entry.deadline > now) continue;
          waiting.delete(entry);
          entry.listIndex = -1;
          entry.onExpired();
        }
      }
    },
  };
}

test('large answers take turns by grant, and one of a grant at a time', async () => {
  const { ask, order } = setUp();
  const first = ask('a1', 1);
  const second = ask('a2', 1);
  ask('a3', 1);
  ask('b1', 1);
  ask('c1', 1);
  expect(order).toEqual(['a1', 'b1', 'c1']);
  first.write();
  await nextTurn();
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2']);
  second.write();
  await nextTurn();
  expect(order.at(-1)).toBe('a3');
});

test('one that does not fit is not overtaken for ever, only by what is small', async () => {
  const { ask, order } = setUp();
  const first = ask('a1', 4);
  ask('b1', 3);
  const small = ask('c1', 1);
  ask('d1', 2);
  expect(order).toEqual(['a1', 'c1']);
  small.leave();
  await nextTurn();
  expect(order).toEqual(['a1', 'c1']);
  first.leave();
  await nextTurn();
  expect(order).toEqual(['a1', 'c1', 'b1', 'd1']);
});

test('what leaves before its turn is not called, and does not hold up those behind it', async () => {
  const { ask, order } = setUp();
  const first = ask('a1', 4);
  ask('a2', 4).leave();
  ask('a3', 4);
  first.leave();
  await nextTurn();
  expect(order).toEqual(['a1', 'a3']);
});

test('who reads slowly is cut, but only while others wait', async () => {
  const { ask, order, cut, pass } = setUp();
  const slow = ask('a1', 4);
  slow.write();
  pass(60_000);
  expect(cut).toEqual([]);
  ask('b1', 4);
  expect(order).toEqual(['a1']);
  pass(2_000);
  await nextTurn();
  expect({ cut, order }).toEqual({ cut: ['a1'], order: ['a1', 'b1'] });
  // One that is still being read from the homeserver is no slow reader.
  ask('c1', 4);
  pass(60_000);
  expect(cut).toEqual(['a1']);
});

test('a turn that has come and is given up in the same moment is not called', async () => {
  const { ask, order } = setUp();
  const first = ask('a1', 4);
  const second = ask('a2', 4);
  ask('a3', 4);
  first.leave();
  second.leave();
  await nextTurn();
  expect(order).toEqual(['a1', 'a3']);
});

test('a grant that waits for its own limit holds up nobody', () => {
  const { ask, order } = setUp();
  ask('a1', 4).write();
  ask('a2', 2);
  ask('b1', 2);
  expect(order).toEqual(['a1', 'b1']);
});

test('two large answers of one request, one after the other, are both counted out', () => {
  const budget = memoryBudget(4 * MIB, 6 * MIB, coarseTimer());
  const reader = { writtenAt: null, endSlowReading: () => undefined };
  const memory = budget.reserve('a' as GrantId, reader);
  memory.waitForTurn(2 * MIB, () => undefined).end(2 * MIB);
  memory.waitForTurn(2 * MIB, () => undefined).end(2 * MIB);
  memory.close();
  const turn = budget.reserve('a' as GrantId, reader).waitForTurn(4 * MIB, () => undefined);
  expect(turn.isTaken).toBe(true);
});

test('small answers that are held for long do not keep large ones waiting', () => {
  const budget = memoryBudget(4 * MIB, 6 * MIB, coarseTimer());
  const reader = { writtenAt: null, endSlowReading: () => undefined };
  expect(budget.reserve('a' as GrantId, reader).take(4 * MIB)).toBe(true);
  const turn = budget.reserve('b' as GrantId, reader).waitForTurn(4 * MIB, () => undefined);
  expect(turn.isTaken).toBe(true);
});
