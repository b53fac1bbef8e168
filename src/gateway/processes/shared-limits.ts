import type { GrantId } from '../../domain/ids.ts';
import type { GrantSlots } from '../limits/grant-slots.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import { type RequestRate, requestsWorth } from '../limits/request-rate.ts';
import { createBorrowedLimit } from './borrowed-limit.ts';
import type { IpcClient } from './ipc-client.ts';
import type { Reclaimed } from './messages.ts';

/** The limits of a grant that hold for all processes together. */
export type SharedLimits = {
  readonly slots: GrantSlots;
  readonly rate: RequestRate;
  /** Gives up to so many that are not used here. @returns how many */
  readonly reclaim: (asked: Reclaimed) => number;
};

/** One of so many parts of a limit is borrowed at once. */
const PARTS = 32;

export function createSharedLimits(
  client: IpcClient,
  { concurrentPerGrant, requestsAtOnce }: Pick<GatewayLimits, 'concurrentPerGrant' | 'requestsAtOnce'>,
): SharedLimits {
  const part = (whole: number): number => Math.max(1, Math.floor(whole / PARTS));
  const limits = {
    slots: createBorrowedLimit(client, 'slots', part(concurrentPerGrant)),
    requests: createBorrowedLimit(client, 'requests', part(requestsAtOnce)),
  };
  return {
    slots: limits.slots,
    rate: {
      take: (grantId: GrantId) => limits.requests.take(grantId),
      weigh(grantId, bodyBytes) {
        const count = requestsWorth(bodyBytes);
        if (count > 0) void client.call('charge', { grantId, count }, () => undefined).catch(() => undefined);
      },
    },
    reclaim: ({ limit, grantId, count }) => limits[limit].reclaim(grantId, count),
  };
}
