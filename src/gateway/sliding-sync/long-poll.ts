import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse, ok, UNKNOWN_TOKEN } from '../http/response.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import { readViewOf } from '../filters/read-view.ts';
import type { LongPollContext } from '../sync/long-poll.ts';
import { restBetweenRounds } from '../sync/poll-back-off.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { shownSliding } from './answer.ts';
import type { SlidingSyncRequest } from './request.ts';
import { slidingLists, slidingRequest } from './upstream.ts';

/**
 * A room that comes into a scope of all rooms is not subscribed to yet, and wakes nobody: it is looked for so
 * often.
 */
const ROUND_MS = 10_000;

/**
 * Answers a sliding sync, as `answerSync` does a sync: what is empty after filtering does not reach the
 * holder before their own deadline, and no wait goes beyond the grant's end.
 */
export async function answerSlidingSync(
  sliding: SlidingSyncRequest,
  access: Access,
  { accessControl, ask, slackMs, memory, now, signal }: LongPollContext,
): Promise<GatewayResponse> {
  const { grant } = access;
  const deadline = Math.min(now() + sliding.timeoutMs, grant.expiresAt);
  const all = canGrow(grant.scope);
  let { pos } = sliding;
  let { rooms } = access;
  const rest = restBetweenRounds(now);
  for (;;) {
    memory.releaseAll();
    const asked = now();
    const left = Math.max(0, deadline - asked);
    const waitMs = pos === null ? 0 : Math.min(left, all ? ROUND_MS : left);
    const received = await ask(slidingRequest(sliding, grant, rooms, pos, waitMs), waitMs + slackMs, false);
    if (isResponse(received)) return received;
    const open = await openNow(access, all, accessControl, signal);
    if (open === null) return UNKNOWN_TOKEN;
    const shown = shownSliding(received.got, open, readViewOf(access));
    if (shown.news || sliding.pos === null || now() >= deadline)
      return ok(bodyOf(shown.pos, shown.rooms, sliding, open));
    ({ pos } = shown);
    const came = [...open].some((room) => !rooms.has(room));
    rooms = open;
    if (!came) await rest(asked, deadline - now(), signal);
  }
}

/** The rooms in scope when the answer came. Null: the grant is over. */
async function openNow(
  access: Access,
  all: boolean,
  control: AccessControl,
  signal: AbortSignal,
): Promise<ReadonlySet<RoomId> | null> {
  if (!all) return access.rooms;
  const current = await unlessAborted(control.refreshRooms(access.grant.id), signal);
  return current?.rooms ?? null;
}

function bodyOf(
  pos: string,
  rooms: JsonObject,
  sliding: SlidingSyncRequest,
  open: ReadonlySet<RoomId>,
): JsonObject {
  return { pos, lists: slidingLists(sliding, open), rooms, extensions: {} };
}
