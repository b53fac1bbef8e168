import type { Call } from '../http/call.ts';
import { type GatewayResponse, isResponse } from '../http/response.ts';
import { referencesInSlidingSync, referencesInSync } from '../media/references-in-answer.ts';
import { requireAccess } from '../request/access.ts';
import type { Task, TaskContext, TaskServices } from '../request/task.ts';
import { onBehalfOf } from '../request/tools.ts';
import { answerSlidingSync } from '../sliding-sync/long-poll.ts';
import { parseSlidingSyncRequest } from '../sliding-sync/request.ts';
import { answerEmptySync } from '../sync/empty-sync.ts';
import { answerSync, type LongPollContext } from '../sync/long-poll.ts';
import { parseSyncRequest } from '../sync/sync-request.ts';
import { createAsk } from '../upstream/ask.ts';

/** A `/sync` that shows what is in scope. */
export function planSync(call: Call): Task | GatewayResponse {
  const poll = parseSyncRequest(call);
  if (isResponse(poll)) return poll;
  return {
    kind: 'poll',
    poll,
    async run(context, services) {
      const access = requireAccess(context);
      const response = await answerSync(bounded(poll, services), access, longPollContext(context, services));
      if (response.status === 200)
        services.media.remember(access, () => response.mediaReferences ?? referencesInSync(response.body));
      return response;
    },
  };
}

/** A `/sync` of a token that may read nothing: clients do not start where it is refused. */
export function planEmptySync(call: Call): Task | GatewayResponse {
  const poll = parseSyncRequest(call);
  if (isResponse(poll)) return poll;
  return {
    kind: 'emptySync',
    run: (context, services) =>
      answerEmptySync(bounded(poll, services), requireAccess(context), services.now, context.signal),
    conditions: ['It would be answered with nothing, after the wait: there is no capability read.'],
  };
}

/** A sliding sync. */
export function planSlidingSync(call: Call): Task | GatewayResponse {
  const request = parseSlidingSyncRequest(call);
  if (isResponse(request)) return request;
  return {
    kind: 'slidingSync',
    async run(context, services) {
      const access = requireAccess(context);
      const response = await answerSlidingSync(
        bounded(request, services),
        access,
        longPollContext(context, services),
      );
      if (response.status === 200)
        services.media.remember(access, () => referencesInSlidingSync(response.body));
      return response;
    },
  };
}

/** The same with no longer wait than is allowed. */
function bounded<T extends { readonly timeoutMs: number }>(request: T, { limits }: TaskServices): T {
  return { ...request, timeoutMs: Math.min(request.timeoutMs, limits.longPollMs) };
}

function longPollContext(context: TaskContext, services: TaskServices): LongPollContext {
  const { accessControl, limits, now } = services;
  const onBehalf = onBehalfOf(context);
  return {
    accessControl,
    ask: createAsk(services, onBehalf),
    slackMs: limits.upstreamTimeoutMs,
    memory: onBehalf.memory,
    signal: onBehalf.signal,
    now,
  };
}
