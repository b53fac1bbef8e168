import type { Transactions } from '../../ports/transactions.ts';
import type { Pace } from '../catalogue/line.ts';
import type { WritePace } from '../writes/pace.ts';
import type { LineToBot } from './line-to-bot.ts';

/** The writes of grants, as the bot's process remembers them. */
export function remoteTransactions(line: LineToBot): Transactions {
  const done = (): void => undefined;
  return {
    find: (key) => line.ask('find', { key }, (row) => row),
    begin: (begun) => line.ask('begin', { begun }, (fresh) => fresh),
    resume: (key, leaseId) => line.ask('resume', { key, leaseId }, done),
    sent: (key, eventId) => line.ask('sent', { key, eventId }, done),
    unsent: (key) => line.ask('unsent', { key }, done),
    forgetBefore: (endedAt) => line.ask('forgetBefore', { endedAt }, done),
  };
}

/** One pace for all processes together: what counts is kept by the bot's. */
export function remotePaces(line: LineToBot): Record<Pace, WritePace> {
  const of = (pace: Pace): WritePace => ({ take: (grantId) => line.ask('pace', { grantId, pace }, (waitMs) => waitMs) });
  return { writing: of('writing'), tending: of('tending') };
}
