import type { RoomId } from '../../domain/ids.ts';
import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse, ok, UNAVAILABLE, UNKNOWN_TOKEN } from '../http/response.ts';
import type { Forwarding, Verdict } from './guard.ts';
import { MintwardenError, unreachable } from '../../domain/errors.ts';
import { type Introspection, introspection } from '../explain/introspection.ts';
import type { FilterJob, FilterTask } from '../filter-worker/filter-job.ts';
import type { JsonObject } from '../filters/json-shape.ts';
import type { Shower } from '../media/references-in-answer.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import { answerSliding } from '../sliding-sync/poll.ts';
import { answerIdly } from '../sync/empty-sync.ts';
import { answerPoll } from '../sync/poll.ts';
import { toolsOf } from '../request/tools.ts';
import { roomsInScope } from '../upstream/rooms-in-scope.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { failure, type Upstreamer, upstreamer } from '../upstream/ask.ts';
import type { Means } from '../request/means.ts';

/**
 * Carries a verdict out.
 * @param held counts what of the homeserver's answers is in memory
 * @param signal aborted when the holder has gone or the grant is over; its reason is then thrown
 */
export function perform(
  verdict: Exclude<Verdict, { readonly kind: 'media' }>,
  access: Access,
  means: Means,
  held: MemoryReservation,
  signal: AbortSignal,
): GatewayResponse | Promise<GatewayResponse> {
  if (verdict.kind === 'answer') return verdict.answer;
  const upstream = upstreamer(means, access.grant.id, held, signal);
  return verdict.kind === 'forward'
    ? forwarded(verdict, access, means, upstream, signal)
    : carriedOut(verdict, access, means, upstream, held, signal);
}

async function carriedOut(
  verdict: Exclude<Verdict, { readonly kind: 'media' | 'answer' | 'forward' }>,
  access: Access,
  means: Means,
  upstream: Upstreamer,
  held: MemoryReservation,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  const remembered = (shower: Shower, answer: GatewayResponse): GatewayResponse => {
    means.media.showing(access, shower, answer);
    return answer;
  };
  try {
    switch (verdict.kind) {
      case 'deed':
        return verdict.deed === 'withdraw'
          ? await withdraw(access, means.control)
          : ok(await introspected(access, means, signal));
      case 'poll':
        return remembered(
          'sync',
          await answerPoll(
            verdict.poll,
            access,
            { ...means, upstream, slackMs: means.upstreamTimeoutMs, held },
            signal,
          ),
        );
      case 'idle':
        return await answerIdly(verdict.poll, access, means.now, signal);
      case 'sliding':
        return remembered(
          'sliding',
          await answerSliding(
            verdict.sliding,
            access,
            { ...means, upstream, slackMs: means.upstreamTimeoutMs, held },
            signal,
          ),
        );
      case 'steps':
        return await verdict.run(toolsOf(access, means, upstream, held, signal));
      case 'write':
        return await means.write(verdict.writing, access, held, signal);
      default:
        return unreachable(verdict);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    return failure(error);
  }
}

/** Nearly all requests go this way: each `await` in it is one that something is waited for. */
async function forwarded(
  verdict: Forwarding,
  access: Access,
  means: Means,
  upstream: Upstreamer,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  try {
    if (verdict.acquaintance !== null) {
      const stranger = await means.acquaintance(
        verdict.acquaintance,
        access,
        upstream,
        means.upstreamTimeoutMs,
      );
      if (stranger !== null) return stranger;
    }
    const reply = await upstream(verdict.request, means.upstreamTimeoutMs, verdict.hides, () =>
      workOf(verdict),
    );
    if (isResponse(reply)) return reply;
    const shown =
      reply.large === undefined
        ? shownHere(reply.got)
        : await shownThere(reply.large, access, means.control, signal);
    const answer = shown instanceof Promise ? await shown : shown;
    const { params, query } = verdict.call;
    means.media.showing(access, { lineId: verdict.lineId, params, query }, answer);
    return answer;
  } catch (error) {
    if (signal.aborted) throw error;
    return failure(error);
  }

  function shownHere(body: unknown): GatewayResponse | Promise<GatewayResponse> {
    const show = (rooms: ReadonlySet<RoomId> | null): GatewayResponse =>
      rooms === null ? UNKNOWN_TOKEN : verdict.filter(body, rooms);
    const rooms = roomsInScope(means.control, access, verdict.speaksOf?.(body) ?? NOWHERE, signal);
    return rooms instanceof Promise ? rooms.then(show) : show(rooms);
  }
}

async function shownThere(
  reading: FilterJob,
  access: Access,
  control: AccessControl,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  try {
    const rooms = await roomsInScope(control, access, await unlessAborted(reading.roomIds(), signal), signal);
    if (rooms === null) return UNKNOWN_TOKEN;
    await unlessAborted(reading.filter(rooms, false), signal);
    return await unlessAborted(reading.response(NO_EVENTS), signal);
  } finally {
    reading.release();
  }
}

const NOWHERE: readonly string[] = [];
const NO_EVENTS: ReadonlyMap<string, JsonObject> = new Map();

/** The verdict as data. The filter in the other thread is told nothing of the token, not even its hash. */
function workOf({ lineId, call }: Forwarding): FilterTask {
  const { access, params, query, body, now } = call;
  const grant = { ...access.grant, tokenHash: '' };
  return {
    kind: 'line',
    lineId,
    call: { params: { ...params }, query: new Map(query), body, now, access: { grant, rooms: new Set() } },
  };
}

async function withdraw(access: Access, control: AccessControl): Promise<GatewayResponse> {
  try {
    await control.withdraw(access.grant.id);
    return ok({});
  } catch (error) {
    if (error instanceof MintwardenError) return UNAVAILABLE;
    throw error;
  }
}

async function introspected(
  access: Access,
  { control, sentence, now }: Means,
  signal: AbortSignal,
): Promise<Introspection> {
  const { grant } = access;
  const usesLeft =
    grant.scope.uses === undefined ? null : await unlessAborted(control.usesLeft(grant.id), signal);
  return introspection(access, sentence(grant, now()), usesLeft, now());
}
