import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { readViewOf } from '../filters/read-view.ts';
import { fetchCreateEvents } from '../filter-worker/create-events.ts';
import { type FilterJob, syncFilterJob } from '../filter-worker/filter-job.ts';
import { type Poll, pollRequest } from './poll-request.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import { restBetweenRounds } from './poll-back-off.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import type { Upstreamer } from '../upstream/ask.ts';

/** What a long-poll needs. */
export type Polling = {
  readonly control: AccessControl;
  readonly upstream: Upstreamer;
  /** How long the homeserver may take beyond the wait itself. */
  readonly slackMs: number;
  readonly held: MemoryReservation;
  readonly now: () => number;
};

/**
 * Answers a `/sync`. What is empty after filtering does not reach the holder before their own deadline:
 * when something happens elsewhere is news too. A first sync is answered at once, with whatever there is.
 * No wait goes beyond the grant's end.
 */
export async function answerPoll(
  poll: Poll,
  access: Access,
  { control, upstream, slackMs, held, now }: Polling,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  const deadline = Math.min(now() + poll.timeoutMs, access.grant.expiresAt);
  const view = readViewOf(access);
  let since = poll.since;
  const rest = restBetweenRounds(now);
  for (let first = true; ; first = false) {
    held.free();
    const asked = now();
    const waitMs = Math.max(0, deadline - asked);
    const reply = await upstream(pollRequest(poll, since, waitMs, first), waitMs + slackMs, false, () => ({
      kind: 'sync',
      view,
    }));
    if (isResponse(reply)) return reply;
    const reading: FilterJob = reply.large ?? syncFilterJob(reply.got, view);
    let left: number;
    try {
      const rooms = await roomsInScope(
        control,
        access,
        await unlessAborted(reading.roomIds(), signal),
        signal,
      );
      if (rooms === null) return UNKNOWN_TOKEN;
      const shown = await unlessAborted(reading.filter(rooms, poll.whole && first), signal);
      left = deadline - now();
      if (shown.news || since === null || left <= 0) {
        const creates = await fetchCreateEvents(
          poll.wantsCreate ? shown.missingCreate : [],
          upstream,
          slackMs,
        );
        return await unlessAborted(reading.response(creates), signal);
      }
      since = shown.nextBatch;
    } finally {
      reading.release();
    }
    await rest(asked, left, signal);
  }
}
