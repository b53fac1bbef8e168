import { MintwardenError } from '../../domain/errors.ts';
import { canGrow } from '../../domain/scope.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { searchFilterJob } from '../filter-worker/filter-job.ts';
import { runFilterJob } from '../filter-worker/run-job.ts';
import { FORBIDDEN, isResponse, rateLimited, UNKNOWN_TOKEN } from '../http/response.ts';
import { pause, unlessAborted } from '../http/unless-aborted.ts';
import { createAsk, type OnBehalf, SMALL_ANSWER_BYTES } from '../upstream/ask.ts';
import { createLookUp } from '../upstream/look-up.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';
import type { Tools } from '../upstream/tools.ts';
import { requireAccess } from './access.ts';
import type { TaskContext, TaskServices } from './task.ts';

/** Rooms are not looked up more often than once a second. */
const LOOKED_EVERY_MS = 1_050;

/** The same request as what asks upstream sees of it. */
export function onBehalfOf(context: TaskContext): OnBehalf {
  return {
    grantId: requireAccess(context).grant.id,
    memory: context.memory,
    times: context,
    signal: context.signal,
  };
}

/** What a multi-step request asks with. What it reads in place is bounded: meanwhile nobody else is served. */
export function toolsOf(context: TaskContext, services: TaskServices): Tools {
  const access: Access = requireAccess(context);
  const { accessControl, rateLimiters } = services;
  const timeoutMs = services.limits.upstreamTimeoutMs;
  const onBehalf = onBehalfOf(context);
  const { signal } = onBehalf;
  const ask = createAsk(services, onBehalf, SMALL_ANSWER_BYTES);
  const askLarge = createAsk(services, onBehalf);
  const refresh = () =>
    unlessAborted(accessControl.refreshRooms(access.grant.id).catch(ignoreFailure), signal);
  const change: Tools['change'] = async (request, rateClass, roomId) => {
    const waitMs = await rateLimiters[rateClass].take(access.grant.id);
    if (waitMs > 0) return rateLimited(waitMs);
    // Meanwhile the room may have left the scope, or the grant have ended.
    if (signal.aborted) throw signal.reason;
    return roomId !== null && !access.rooms.has(roomId) ? FORBIDDEN : ask(request, timeoutMs, false);
  };
  return {
    ask: (request, maskNotFound) => ask(request, timeoutMs, maskNotFound),
    async show(request, task, rooms) {
      const received = await askLarge(request, timeoutMs, false, () => task);
      if (isResponse(received)) return received;
      const job = received.large ?? searchFilterJob(received.got, task.view);
      return (await runFilterJob(job, signal, () => rooms)) ?? UNKNOWN_TOKEN;
    },
    lookUp: createLookUp(services, onBehalf, timeoutMs),
    change,
    async changeMembership(request, roomId) {
      if (canGrow(access.grant.scope)) {
        const looked = await unlessAborted(accessControl.refreshRooms(access.grant.id, 'again'), signal);
        if (looked === null) return UNKNOWN_TOKEN;
        if (!looked.rooms.has(roomId)) return FORBIDDEN;
      }
      return change(request, 'writes', roomId);
    },
    // A grant that is over shows no room.
    roomsInScope: async (roomIds) =>
      (await roomsInScope(accessControl, access, roomIds, signal)) ?? new Set(),
    async refreshRooms(left) {
      if (!canGrow(access.grant.scope)) return;
      const refreshed = await refresh();
      if (left === null || access.grant.scope.rooms !== 'all' || refreshed?.rooms.has(left) !== true) return;
      // It was looked up less than a second ago, before the room was left.
      await pause(LOOKED_EVERY_MS, signal);
      await refresh();
    },
  };
}

/** The change was made: that must not be reported as a failure. */
function ignoreFailure(error: unknown): null {
  if (error instanceof MintwardenError) return null;
  throw error;
}
