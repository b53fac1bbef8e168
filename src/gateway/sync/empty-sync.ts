import type { Access } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, ok } from '../http/response.ts';
import type { SyncRequest } from './sync-request.ts';
import { pause } from '../http/unless-aborted.ts';

/** A place in a sync that never had anything in it. */
const NOWHERE = 'mw0';

/**
 * Answers a `/sync` of a token that may read nothing: with nothing, after the wait that was asked for.
 * Clients do not start where it is refused, and some repeat it a thousand times a second. The homeserver is
 * not asked.
 */
export async function answerEmptySync(
  poll: SyncRequest,
  access: Access,
  now: () => number,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  const waitMs = Math.min(poll.timeoutMs, access.grant.expiresAt - now());
  if (poll.since !== null && waitMs > 0) await pause(waitMs, signal);
  return ok({ next_batch: poll.since ?? NOWHERE, rooms: { join: {}, invite: {}, leave: {}, knock: {} } });
}
