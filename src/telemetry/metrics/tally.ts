import { type Numbers, sum } from './exposition.ts';

/** What a process said of itself; null: it did not answer. */
export type ProcessReport = { readonly pid: number; readonly numbers: Numbers | null };

/** What never falls while a process lives. */
const MONOTONIC = new Set(['counter', 'histogram']);

/**
 * Keeps the sums of several processes from falling when one of them ends or does not answer: anyone who reads a
 * counter takes a fall for a new beginning, and would count everything once more. What was counted between
 * the last look at a process and its end is lost.
 * @returns a function from what all processes that live have said to what is to be added up
 */
export function tally(): (said: readonly ProcessReport[]) => Promise<readonly Numbers[]> {
  const last = new Map<number, Numbers>();
  let over: Numbers = [];
  return async (said) => {
    const alive = new Set(said.map(({ pid }) => pid));
    const ended = [...last].filter(([pid]) => !alive.has(pid));
    for (const [pid] of ended) last.delete(pid);
    for (const { pid, numbers } of said) if (numbers !== null) last.set(pid, numbers);
    const now = [...last.values()];
    if (ended.length > 0)
      over = await sum([
        over,
        ...ended.map(([, numbers]) => numbers.filter((one) => MONOTONIC.has(typeOf(one)))),
      ]);
    return [over, ...now];
  };
}

function typeOf(metric: object): string {
  return String(Reflect.get(metric, 'type'));
}
