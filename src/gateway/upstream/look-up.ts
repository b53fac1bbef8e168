import type { UpstreamRequest } from '../http/call.ts';
import { type GatewayResponse, isResponse } from '../http/response.ts';
import { isTokenUnknown, type OnBehalf, SMALL_ANSWER_BYTES, type Upstreams, withLease } from './ask.ts';
import type { UpstreamResponse } from './json-call.ts';

/** The homeserver's response in a box, so that it cannot pass for the holder's; or the holder's response. */
export type LookUpResult = { readonly response: UpstreamResponse } | GatewayResponse;

/** Looks something up before a change: refused and absent are told apart. */
export type LookUp = (request: UpstreamRequest) => Promise<LookUpResult>;

/** @returns what looks up on one request's behalf */
export function createLookUp(upstreams: Upstreams, onBehalf: OnBehalf, timeoutMs: number): LookUp {
  const { signal, memory, times } = onBehalf;
  const options = { timeoutMs, signal, memory, times, large: null, maxBytes: SMALL_ANSWER_BYTES };
  return async (request) => {
    const asked = await withLease(upstreams, onBehalf, isTokenUnknown, (token) =>
      upstreams.json.ask(request, token, options),
    );
    return isResponse(asked) ? asked : { response: asked.outcome };
  };
}
