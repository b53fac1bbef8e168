import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { type Answer, isAnswer, UNKNOWN_TOKEN } from '../answer.ts';
import { sightOf } from '../filters/sight.ts';
import { createEvents } from '../large/create-events.ts';
import { type Reading, readingOfSync } from '../large/reading.ts';
import { type Poll, pollRequest } from '../rewrite/sync-request.ts';
import type { Held } from './allowance.ts';
import { restBetweenRounds } from './rest.ts';
import { roomsNow } from './scope-now.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { Upstreamer } from './upstream-call.ts';

/** What a long-poll needs. */
export type Polling = {
  readonly control: AccessControl;
  readonly upstream: Upstreamer;
  /** How long the homeserver may take beyond the wait itself. */
  readonly slackMs: number;
  readonly held: Held;
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
): Promise<Answer> {
  const deadline = Math.min(now() + poll.timeoutMs, access.grant.expiresAt);
  const sight = sightOf(access);
  let since = poll.since;
  const rest = restBetweenRounds(now);
  for (let first = true; ; first = false) {
    held.free();
    const asked = now();
    const waitMs = Math.max(0, deadline - asked);
    const reply = await upstream(pollRequest(poll, since, waitMs, first), waitMs + slackMs, false, () => ({
      kind: 'sync',
      sight,
    }));
    if (isAnswer(reply)) return reply;
    const reading: Reading = reply.large ?? readingOfSync(reply.got, sight);
    let left: number;
    try {
      const rooms = await roomsNow(control, access, await unlessAborted(reading.spokenOf(), signal), signal);
      if (rooms === null) return UNKNOWN_TOKEN;
      const shown = await unlessAborted(reading.show(rooms, poll.whole && first), signal);
      left = deadline - now();
      if (shown.news || since === null || left <= 0) {
        const creates = await createEvents(poll.wantsCreate ? shown.lacking : [], upstream, slackMs);
        return await unlessAborted(reading.answer(creates), signal);
      }
      since = shown.nextBatch;
    } finally {
      reading.done();
    }
    await rest(asked, left, signal);
  }
}
