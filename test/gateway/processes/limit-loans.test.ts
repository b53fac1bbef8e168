import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createLimitLender } from '../../../src/gateway/processes/limit-lender.ts';
import { requestPool, slotPool } from '../../../src/gateway/processes/limit-pools.ts';
import { type BorrowingProcess, borrowingProcesses, GRANT } from './limit-loans.ts';
import { settled } from '../../support/wait.ts';

const MOST = 64;
const slots = (count: number) => borrowingProcesses(count, 'slots', slotPool(MOST), 2);

/** How many of these requests were let in. */
async function admitted(process: BorrowingProcess | undefined, requests: number): Promise<number> {
  const taken = Array.from({ length: requests }, async () => process?.limit.take(GRANT));
  return (await Promise.all(taken)).filter((waitMs) => waitMs === 0).length;
}

const release = (process: BorrowingProcess | undefined, requests: number): void => {
  for (let left = requests; left > 0; left--) process?.limit.release(GRANT);
};

describe('requests of one grant at the same time, through several processes', () => {
  it('are as many as the limit allows, however the connections fell', async () => {
    for (const [first, second] of [
      [64, 0],
      [40, 24],
      [1, 63],
    ] as const) {
      using stage = slots(2);
      const [one, other] = stage.processes;
      expect(await Promise.all([admitted(one, first), admitted(other, second)])).toEqual([first, second]);
      expect(await admitted(one, 1)).toBe(0);
      expect(await admitted(other, 1)).toBe(0);
    }
  });

  it('may pass from one process to the other without a refusal', async () => {
    using stage = slots(2);
    const [one, other] = stage.processes;
    expect(await Promise.all([admitted(one, 40), admitted(other, 24)])).toEqual([40, 24]);
    release(one, 16);
    expect(await admitted(other, 16)).toBe(16);
    release(other, 40);
    expect(await admitted(one, 40)).toBe(40);
  });

  it('never are more, and none is refused while there are fewer', async () => {
    const step = fc.record({
      process: fc.nat(2),
      take: fc.boolean(),
      count: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        using stage = slots(3);
        const open = [0, 0, 0];
        const total = (): number => open.reduce((sum, one) => sum + one, 0);
        for (const { process, take, count } of steps) {
          const before = open[process] ?? 0;
          if (take) {
            const free = MOST - total();
            // A process that was refused does not ask again at once.
            if (free === 0) continue;
            const got = await admitted(stage.processes[process], Math.min(count, free));
            expect(got).toBe(Math.min(count, free));
            open[process] = before + got;
          } else {
            const left = Math.min(count, before);
            release(stage.processes[process], left);
            open[process] = before - left;
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never are more when everything happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { minLength: 100, maxLength: 200 }), async (order) => {
        using stage = slots(3);
        const got = await Promise.all(order.map((process) => admitted(stage.processes[process], 1)));
        expect(got.reduce((sum, one) => sum + one, 0)).toBe(MOST);
      }),
      { numRuns: 50 },
    );
  });

  it('cost no question while there is enough', async () => {
    using stage = slots(2);
    const [one] = stage.processes;
    await admitted(one, 10);
    release(one, 10);
    const before = stage.asked.length;
    for (let times = 0; times < 100; times++) {
      expect(one?.limit.take(GRANT)).toBe(0);
      release(one, 1);
    }
    expect(stage.asked.length).toBe(before);
  });

  it('are not refused for long because of a process that hangs, and it keeps only what it does not use', async () => {
    using stage = slots(2);
    const [one, other] = stage.processes;
    await admitted(one, 10);
    release(one, 10);
    one?.stop();
    const begun = performance.now();
    expect(await admitted(other, MOST)).toBe(MOST - 10);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('are free again when their process ends', async () => {
    using stage = slots(2);
    const [one, other] = stage.processes;
    expect(await admitted(one, MOST)).toBe(MOST);
    one?.end();
    expect(await admitted(other, MOST)).toBe(MOST);
  });

  it('do not bind what is not used: it is returned', async () => {
    using stage = slots(2);
    const [one, other] = stage.processes;
    await admitted(one, MOST);
    release(one, MOST);
    await vi.waitFor(() => expect(stage.asked).toContain('giveBack'), 2_000);
    one?.stop();
    await settled();
    expect(await admitted(other, MOST)).toBe(MOST);
  });
});

describe('requests of one grant in a second, through several processes', () => {
  it('are as many as the limit allows, and more as time passes', async () => {
    let at = 0;
    using stage = borrowingProcesses(
      2,
      'requests',
      requestPool(50, 200, () => at),
      6,
    );
    const [one, other] = stage.processes;
    const both = await Promise.all([admitted(one, 150), admitted(other, 150)]);
    expect(both[0] + both[1]).toBe(200);
    at += 1_000;
    await settled();
    expect(await admitted(one, 100)).toBe(50);
  });

  it('are lent to the process that needs them, if another has some that it does not use', async () => {
    using stage = borrowingProcesses(
      2,
      'requests',
      requestPool(50, 200, () => 0),
      50,
    );
    const [one, other] = stage.processes;
    expect(await admitted(one, 1)).toBe(1);
    expect(await admitted(other, 199)).toBe(199);
  });

  it('are refused with the time that is left to wait', async () => {
    using stage = borrowingProcesses(
      1,
      'requests',
      requestPool(50, 1, () => 0),
      1,
    );
    const [one] = stage.processes;
    expect(await one?.limit.take(GRANT)).toBe(0);
    expect(await one?.limit.take(GRANT)).toBe(20);
  });
});

it('nothing is lent or returned that is no number of requests', async () => {
  const borrower = { send: () => undefined, shown: new Map([[GRANT, null]]), slots: new Map() };
  const pool = slotPool(MOST);
  const lender = createLimitLender({ slots: pool, requests: pool }, new Set([borrower]));
  for (const count of [-1, 0.5, Number.NaN, '5', null])
    await expect(lender.lend('slots', GRANT, count as number, borrower)).rejects.toThrow('cannot be lent');
  await expect(lender.lend('__proto__' as 'slots', GRANT, 1, borrower)).rejects.toThrow('cannot be lent');
  expect((await lender.lend('slots', GRANT, 10, borrower)).count).toBe(10);
  // More than was lent cannot be returned.
  lender.giveBack('slots', GRANT, 1_000, borrower);
  expect(pool.take(GRANT, 1_000)).toBe(MOST);
});
