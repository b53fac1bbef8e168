import { MintwardenError } from '../../domain/errors.ts';
import { canGrow } from '../../domain/scope.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { FORBIDDEN, isResponse, rateLimited } from '../http/response.ts';
import type { Tools } from '../upstream/tools.ts';
import { searchFilterJob } from '../filter-worker/filter-job.ts';
import { lookUp } from '../upstream/look-up.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { Means } from './means.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';
import { pause, unlessAborted } from '../http/unless-aborted.ts';
import { type Upstreamer, upstreamer } from '../upstream/ask.ts';

/** Rooms are not looked up more often than once a second. */
const LOOKED_EVERY_MS = 1_050;

/**
 * What the steps of one request ask with. What they read in place is bounded: while it is read, nobody else
 * is served.
 * @param signal aborted when the holder has gone or the grant is over
 */
export function toolsOf(
  access: Access,
  means: Means,
  large: Upstreamer,
  held: MemoryReservation,
  signal: AbortSignal,
): Tools {
  const { control, looking, paces, upstreamTimeoutMs: timeoutMs } = means;
  const upstream = upstreamer({ ...means, forwarder: looking }, access.grant.id, held, signal);
  return {
    ask: (request, hides) => upstream(request, timeoutMs, hides),
    async show(request, work, rooms) {
      const reply = await large(request, timeoutMs, false, () => work);
      if (isResponse(reply)) return reply;
      const reading = reply.large ?? searchFilterJob(reply.got, work.view);
      try {
        await unlessAborted(reading.roomIds(), signal);
        await unlessAborted(reading.filter(rooms, false), signal);
        return await unlessAborted(reading.response(new Map()), signal);
      } finally {
        reading.release();
      }
    },
    look: (request) =>
      lookUp(looking, control, access.grant.id, request, { timeoutMs, signal, held, large: null }),
    async change(request, pace, roomId) {
      const waitMs = await paces[pace].take(access.grant.id);
      if (waitMs > 0) return rateLimited(waitMs);
      // While the room was looked at it may have left the scope, or the grant have ended.
      if (signal.aborted) throw signal.reason;
      return roomId !== null && !access.rooms.has(roomId) ? FORBIDDEN : upstream(request, timeoutMs, false);
    },
    // A grant that is over shows no room.
    roomsNow: async (spokenOf) => (await roomsInScope(control, access, spokenOf, signal)) ?? new Set(),
    async relook(left) {
      if (!canGrow(access.grant.scope)) return;
      const looked = await unlessAborted(control.refreshRooms(access.grant.id).catch(unharmed), signal);
      if (left === null || access.grant.scope.rooms !== 'all' || looked?.rooms.has(left) !== true) return;
      // It was looked at less than a second ago, before the room was left.
      await pause(LOOKED_EVERY_MS, signal);
      await unlessAborted(control.refreshRooms(access.grant.id).catch(unharmed), signal);
    },
  };
}

/** What was done is done: it must not be told as a failure. */
function unharmed(error: unknown): null {
  if (error instanceof MintwardenError) return null;
  throw error;
}
