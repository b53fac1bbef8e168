import type { Transactions } from '../../ports/transactions.ts';
import type { Pace } from '../request/call.ts';
import type { WritePace } from '../writes/pace.ts';
import { type OwnMedia, ownMedia } from '../media/own-media.ts';
import type { LineToBot } from './ipc-client';
import type { Made } from './messages.ts';

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
  const of = (pace: Pace): WritePace => ({
    take: (grantId) => line.ask('pace', { grantId, pace }, (waitMs) => waitMs),
  });
  return { writing: of('writing'), tending: of('tending') };
}

/** What grants uploaded, through whichever process. `hear` takes in what was uploaded through another. */
export type SharedOwnMedia = OwnMedia & { readonly hear: (made: Made) => void };

/**
 * Known here at once, and in the other processes a message later; in those that start afterwards not at all.
 */
export function sharedOwnMedia(line: LineToBot): SharedOwnMedia {
  const own = ownMedia();
  const tell = (made: Made): void => void line.ask('made', made, () => undefined).catch(() => undefined);
  return {
    ...own,
    created(grantId, address) {
      own.created(grantId, address);
      tell({ grantId, address, as: 'created' });
    },
    uploaded(grantId, address) {
      own.uploaded(grantId, address);
      tell({ grantId, address, as: 'uploaded' });
    },
    hear: ({ grantId, address, as }) => own[as](grantId, address),
  };
}
