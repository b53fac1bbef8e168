import type { Transactions } from '../../ports/transactions.ts';
import type { RateClass } from '../http/call.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import { createUploads, type Uploads } from '../media/uploads.ts';
import type { IpcClient } from './ipc-client.ts';
import type { OwnMediaEvent } from './messages.ts';

/** The writes of grants, which the bot's process remembers. */
export function remoteTransactions(client: IpcClient): Transactions {
  const done = (): void => undefined;
  return {
    find: (key) => client.call('find', { key }, (row) => row),
    begin: (begun) => client.call('begin', { begun }, (fresh) => fresh),
    resume: (key, leaseId) => client.call('resume', { key, leaseId }, done),
    sent: (key, eventId) => client.call('sent', { key, eventId }, done),
    unsent: (key) => client.call('unsent', { key }, done),
    forgetBefore: (endedAt) => client.call('forgetBefore', { endedAt }, done),
  };
}

/** Rate limits for all processes together, which the bot's process keeps. */
export function remoteRateLimiters(client: IpcClient): Record<RateClass, RateLimiter> {
  const of = (rateClass: RateClass): RateLimiter => ({
    take: (grantId) => client.call('takeRate', { grantId, rateClass }, (waitMs) => waitMs),
  });
  return { writes: of('writes'), personal: of('personal') };
}

/** What grants uploaded, through any process. `receive` takes in an upload through another. */
export type SharedOwnMedia = Uploads & { readonly receive: (made: OwnMediaEvent) => void };

/** Known here at once, in the other processes a message later, and not in those that start afterwards. */
export function sharedOwnMedia(client: IpcClient): SharedOwnMedia {
  const own = createUploads();
  const announce = (event: OwnMediaEvent): void =>
    void client.call('made', event, () => undefined).catch(() => undefined);
  return {
    ...own,
    created(grantId, address) {
      own.created(grantId, address);
      announce({ grantId, address, as: 'created' });
    },
    uploaded(grantId, address) {
      own.uploaded(grantId, address);
      announce({ grantId, address, as: 'uploaded' });
    },
    receive: ({ grantId, address, as }) => own[as](grantId, address),
  };
}
