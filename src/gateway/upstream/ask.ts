import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { AccessControl, UpstreamToken } from '../../lifecycle/access/access-control.ts';
import type { FilterTask } from '../filter-worker/filter-job.ts';
import type { FilterWorker } from '../filter-worker/filter-worker.ts';
import { isObject } from '../filters/json-shape.ts';
import type { UpstreamRequest } from '../http/call.ts';
import {
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  UNAVAILABLE,
  UNKNOWN_TOKEN,
  UNREACHABLE,
  USER_LOCKED,
} from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { UpstreamResponse } from './json-call.ts';
import type { JsonClient, Received } from './json-client.ts';
import { mapUpstreamError } from './map-error.ts';

/** What it takes to ask the homeserver on a grant's behalf. */
export type Upstreams = {
  readonly accessControl: Pick<AccessControl, 'upstreamToken' | 'replaceUpstreamToken'>;
  readonly json: JsonClient;
  readonly filterWorker: FilterWorker;
};

/** The grant a request is made for, and where its memory and time are counted. */
export type OnBehalf = {
  readonly grantId: GrantId;
  readonly memory: MemoryReservation;
  readonly times: { homeserverMs: number };
  /** Aborted when the holder has gone or the grant is over; its reason is then thrown. */
  readonly signal: AbortSignal;
};

/**
 * Asks the homeserver on behalf of one holder's request.
 * @param maskNotFound a refusal and an absence are one and the same 404
 * @param task what is to be done with the answer, if it may be done in another thread
 */
export type Ask = (
  request: UpstreamRequest,
  timeoutMs: number,
  maskNotFound: boolean,
  task?: () => FilterTask,
) => Promise<Received | GatewayResponse>;

/** Parsing in place makes all other requests wait: an answer that is only looked at may not be larger. */
export const SMALL_ANSWER_BYTES = 2_097_152;

/**
 * Asks with the grant's upstream token, renewed where the homeserver does not know it any more: the holder
 * never sees the homeserver's own `M_UNKNOWN_TOKEN`.
 * @param maxBytes the largest answer, where that is less than the gateway's own limit
 */
export function createAsk(upstreams: Upstreams, onBehalf: OnBehalf, maxBytes?: number): Ask {
  const { json, filterWorker } = upstreams;
  const { grantId, memory, times, signal } = onBehalf;
  return async (request, timeoutMs, maskNotFound, task) => {
    const large = task === undefined ? null : (size?: number) => filterWorker.open(task(), grantId, size);
    const options = {
      timeoutMs,
      signal,
      memory,
      times,
      large,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    };
    try {
      const asked = await withLease(upstreams, onBehalf, isTokenUnknown, (token) =>
        json.ask(request, token, options),
      );
      return isResponse(asked) ? asked : readResponse(asked.outcome, maskNotFound);
    } catch (error) {
      if (signal.aborted) throw error;
      return responseForError(error);
    }
  };
}

/**
 * Tries something with the grant's upstream token; once more with a new one, where the homeserver did not know
 * the first.
 * @param isRefused whether the homeserver did not know the token, and so did nothing
 * @returns the outcome in a box, or the holder's response
 */
export async function withLease<T>(
  { accessControl }: Pick<Upstreams, 'accessControl'>,
  { grantId, signal }: Pick<OnBehalf, 'grantId' | 'signal'>,
  isRefused: (outcome: T) => boolean,
  attempt: (token: string) => Promise<T>,
): Promise<{ readonly outcome: T } | GatewayResponse> {
  const lease = await unlessAborted(accessControl.upstreamToken(grantId), signal);
  const first = await attempt(lease.token);
  if (!isRefused(first)) return { outcome: first };
  const renewed = await unlessAborted(renewLease(accessControl, grantId, lease), signal);
  if (isResponse(renewed)) return renewed;
  const second = await attempt(renewed.token);
  return isRefused(second) ? UNAVAILABLE : { outcome: second };
}

/** Another lease in the place of one that the homeserver does not know, or the holder's response. */
export async function renewLease(
  accessControl: Pick<AccessControl, 'replaceUpstreamToken'>,
  grantId: GrantId,
  refused: UpstreamToken,
): Promise<UpstreamToken | GatewayResponse> {
  const renewed = await accessControl.replaceUpstreamToken(grantId, refused.leaseId);
  if (renewed === 'gone') return UNKNOWN_TOKEN;
  return renewed === 'unavailable' ? UNAVAILABLE : renewed;
}

/** The holder's response when asking the homeserver failed. @throws what is no MintwardenError */
export function responseForError(error: unknown): GatewayResponse {
  if (!(error instanceof MintwardenError)) throw error;
  if (error.code === 'homeserver-invalid-response') return INVALID_UPSTREAM_RESPONSE;
  return error.code === 'homeserver-unreachable' ? UNREACHABLE : UNAVAILABLE;
}

/** The body of a 200; for every other status the holder's response. */
export function readResponse(response: UpstreamResponse, maskNotFound: boolean): Received | GatewayResponse {
  const { status, body, large, filtered } = response;
  if (status === 200) return { got: body, large, filtered };
  return errcodeOf(response) === 'M_USER_LOCKED' ? USER_LOCKED : mapUpstreamError(response, maskNotFound);
}

/** The homeserver's own code of an error, or nothing. */
export function errcodeOf({ body }: UpstreamResponse): unknown {
  return isObject(body) ? body['errcode'] : undefined;
}

/** The homeserver did not know the token, and so did nothing. */
export function isTokenUnknown(response: UpstreamResponse): boolean {
  return response.status === 401 && errcodeOf(response) === 'M_UNKNOWN_TOKEN';
}
