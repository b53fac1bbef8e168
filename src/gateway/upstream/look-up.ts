import type { GrantId } from '../../domain/ids.ts';
import type { AccessControl, UpstreamToken } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse, UNAVAILABLE, UNKNOWN_TOKEN } from '../http/response.ts';
import type { UpstreamRequest } from '../http/call.ts';
import { isObject } from '../filters/json-shape.ts';
import type { AskOptions, JsonClient, UpstreamResponse } from './json-client.ts';
import { unlessAborted } from '../http/unless-aborted.ts';

/** The homeserver's reply in a box, so that it cannot pass for an answer to the holder. */
export type LookUpResult = { readonly reply: UpstreamResponse } | GatewayResponse;

/** The homeserver's own code of an error, or nothing. */
export function errcodeOf(reply: UpstreamResponse): unknown {
  return isObject(reply.body) ? reply.body['errcode'] : undefined;
}

/** The homeserver did not know the token, and so did nothing. */
export function isTokenUnknown(reply: UpstreamResponse): boolean {
  return reply.status === 401 && errcodeOf(reply) === 'M_UNKNOWN_TOKEN';
}

/** Another lease, in the place of one that the homeserver does not know. */
export async function anotherLease(
  control: AccessControl,
  grantId: GrantId,
  refused: UpstreamToken,
): Promise<UpstreamToken | GatewayResponse> {
  const renewed = await control.replaceUpstreamToken(grantId, refused.leaseId);
  if (renewed === 'gone') return UNKNOWN_TOKEN;
  return renewed === 'unavailable' ? UNAVAILABLE : renewed;
}

/**
 * Looks something up before a write: the homeserver's reply as it is, since the difference between absent and
 * refused counts.
 */
export async function lookUp(
  forwarder: JsonClient,
  control: AccessControl,
  grantId: GrantId,
  request: UpstreamRequest,
  asking: AskOptions,
): Promise<LookUpResult> {
  const lease = await unlessAborted(Promise.resolve(control.upstreamToken(grantId)), asking.signal);
  const reply = await forwarder.ask(request, lease.token, asking);
  if (!isTokenUnknown(reply)) return { reply };
  const renewed = await unlessAborted(anotherLease(control, grantId, lease), asking.signal);
  if (isResponse(renewed)) return renewed;
  const second = await forwarder.ask(request, renewed.token, asking);
  return isTokenUnknown(second) ? UNAVAILABLE : { reply: second };
}
