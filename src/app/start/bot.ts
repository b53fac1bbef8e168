import { createBot } from '../../bot/bot.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { deliverWaitingTo } from '../../lifecycle/notifications/deliver.ts';
import type { Requests } from '../../ports/requests.ts';
import { createRequestExplainer } from '../request-explainer.ts';
import type { Jobs } from './jobs.ts';
import type { MatrixConnection } from './matrix.ts';

/** Starts to answer commands. @returns what explains requests, for commands given at the machine */
export function startBot({ services, deliverTo }: MatrixConnection, { access }: Jobs): Requests {
  const { ledger, clock, log, controlRoomId } = services;
  const requests = createRequestExplainer({ ledger, clock, controlRoomId, remembered: access.remembered });
  deliverTo(
    createBot({
      services,
      requests,
      onMembership: ({ userId, membership }) => {
        if (membership !== 'join') return;
        deliverWaitingTo(services, userId).catch((error: unknown) =>
          log.warn('waiting tokens not looked at', {
            problem: error instanceof MintwardenError ? error.message : 'unexpected',
          }),
        );
      },
    }),
  );
  return requests;
}
