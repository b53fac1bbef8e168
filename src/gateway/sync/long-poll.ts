import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { fetchCreateEvents } from '../filter-worker/create-events.ts';
import { type FilterJob, syncFilterJob } from '../filter-worker/filter-job.ts';
import { readViewOf } from '../filters/read-view.ts';
import { type GatewayResponse, isResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { Ask } from '../upstream/ask.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';
import { restBetweenRounds } from './poll-back-off.ts';
import { type SyncRequest, upstreamSyncRequest } from './sync-request.ts';

/** What a long-poll uses. */
export type LongPollContext = {
  readonly accessControl: AccessControl;
  readonly ask: Ask;
  /** How long the homeserver may take beyond the wait itself. */
  readonly slackMs: number;
  readonly memory: MemoryReservation;
  readonly now: () => number;
  /** Aborted when the holder has gone or the grant is over; its reason is then thrown. */
  readonly signal: AbortSignal;
};

/**
 * Answers a `/sync`. What is empty after filtering does not reach the holder before their own deadline:
 * when something happens elsewhere is news too. A first sync is answered at once, with whatever there is.
 * No wait goes beyond the grant's end.
 */
export async function answerSync(
  poll: SyncRequest,
  access: Access,
  { accessControl, ask, slackMs, memory, now, signal }: LongPollContext,
): Promise<GatewayResponse> {
  const deadline = Math.min(now() + poll.timeoutMs, access.grant.expiresAt);
  const view = readViewOf(access);
  let since = poll.since;
  const rest = restBetweenRounds(now);
  for (let first = true; ; first = false) {
    memory.releaseAll();
    const asked = now();
    const waitMs = Math.max(0, deadline - asked);
    const received = await ask(
      upstreamSyncRequest(poll, since, waitMs, first),
      waitMs + slackMs,
      false,
      () => ({
        kind: 'sync',
        view,
      }),
    );
    if (isResponse(received)) return received;
    const job: FilterJob = received.large ?? syncFilterJob(received.got, view);
    let left: number;
    try {
      const rooms = await roomsInScope(
        accessControl,
        access,
        await unlessAborted(job.roomIds(), signal),
        signal,
      );
      if (rooms === null) return UNKNOWN_TOKEN;
      const shown = await unlessAborted(job.filter(rooms, poll.whole && first), signal);
      left = deadline - now();
      if (shown.news || since === null || left <= 0) {
        const creates = await fetchCreateEvents(poll.wantsCreate ? shown.missingCreate : [], ask, slackMs);
        return await unlessAborted(job.response(creates), signal);
      }
      since = shown.nextBatch;
    } finally {
      job.release();
    }
    await rest(asked, left, signal);
  }
}
