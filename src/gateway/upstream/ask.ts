import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { AccessControl } from '../../lifecycle/access/access-control.ts';
import {
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  UNAVAILABLE,
  UNKNOWN_TOKEN,
  UNREACHABLE,
  USER_LOCKED,
} from '../http/response.ts';
import type { UpstreamRequest } from '../http/call.ts';
import { isObject } from '../filters/json-shape.ts';
import type { FilterWorker } from '../filter-worker/filter-worker.ts';
import type { FilterJob, FilterTask } from '../filter-worker/filter-job.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { JsonClient, UpstreamResponse } from './json-client.ts';
import { mapUpstreamError } from './map-error.ts';
import { unlessAborted } from '../http/unless-aborted.ts';

/**
 * What was asked for, in a box, so that it cannot pass for a refusal; or, where it was large, its filter job
 * instead.
 */
export type Got = { readonly got: unknown; readonly large?: FilterJob };

/**
 * Asks the homeserver on behalf of one holder's request.
 * @param work what is to be done with the answer, if it may be done in another thread
 */
export type Upstreamer = (
  request: UpstreamRequest,
  timeoutMs: number,
  hides: boolean,
  work?: () => FilterTask,
) => Promise<Got | GatewayResponse>;

/**
 * Asks with the grant's upstream token. Where the homeserver does not know that any more, a new lease is
 * made and it is asked once again: the holder never hears of the homeserver's own `M_UNKNOWN_TOKEN`.
 */
export function upstreamer(
  {
    forwarder,
    large,
    control: access,
  }: { readonly forwarder: JsonClient; readonly large: FilterWorker; readonly control: AccessControl },
  grantId: GrantId,
  held: MemoryReservation,
  signal: AbortSignal,
): Upstreamer {
  return async (request, timeoutMs, hides, work) => {
    const asking = {
      timeoutMs,
      signal,
      held,
      large: work === undefined ? null : () => large.open(work(), grantId),
    };
    try {
      const kept = access.upstreamToken(grantId);
      const lease = kept instanceof Promise ? await unlessAborted(kept, signal) : kept;
      const reply = await forwarder.ask(request, lease.token, asking);
      if (!tokenRefused(reply)) return told(reply, hides);
      const renewed = await unlessAborted(access.replaceUpstreamToken(grantId, lease.leaseId), signal);
      if (renewed === 'gone') return UNKNOWN_TOKEN;
      if (renewed === 'unavailable') return UNAVAILABLE;
      const second = await forwarder.ask(request, renewed.token, asking);
      return tokenRefused(second) ? UNAVAILABLE : told(second, hides);
    } catch (error) {
      if (signal.aborted) throw error;
      return failure(error);
    }
  };
}

/** What a holder is told when asking the homeserver failed. */
export function failure(error: unknown): GatewayResponse {
  if (!(error instanceof MintwardenError)) throw error;
  if (error.code === 'homeserver-invalid-response') return INVALID_UPSTREAM_RESPONSE;
  return error.code === 'homeserver-unreachable' ? UNREACHABLE : UNAVAILABLE;
}

/** An answer of 200 as it is; every other as the holder is told it. */
export function told(reply: UpstreamResponse, hides: boolean): Got | GatewayResponse {
  if (reply.status === 200)
    return reply.large === undefined ? { got: reply.body } : { got: undefined, large: reply.large };
  if (errcode(reply) === 'M_USER_LOCKED') return USER_LOCKED;
  return mapUpstreamError(reply, hides);
}

function tokenRefused(reply: UpstreamResponse): boolean {
  return reply.status === 401 && errcode(reply) === 'M_UNKNOWN_TOKEN';
}

function errcode(reply: UpstreamResponse): unknown {
  return isObject(reply.body) ? reply.body['errcode'] : undefined;
}
