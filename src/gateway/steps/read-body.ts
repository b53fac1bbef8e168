import { readBody as readBytes } from '../http/body.ts';
import { type Parsed, parseJsonBytes } from '../http/json.ts';
import { type GatewayResponse, isResponse } from '../http/response.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import { type Endpoint, isTask } from '../request/endpoint.ts';
import type { GatewayServices } from '../request/services.ts';

/** Reads the body, bounded, where the endpoint takes one; what it does not take is read and dropped. */
export function readBody(
  context: RequestContext,
  services: GatewayServices,
): GatewayResponse | undefined | Promise<GatewayResponse | undefined> {
  const { endpoint } = requireRoute(context);
  // A file is passed on as it comes.
  if (isTask(endpoint, 'media')) return undefined;
  const bytes = readBytes(context.message, services.limits.bodyBytes);
  if (!(bytes instanceof Promise)) return parse(context, bytes);
  return bytes.then((read) => {
    // To parse a large one takes the gateway's one thread.
    if (!isResponse(read)) services.requestRate.weigh(requireAccess(context).grant.id, read.length);
    return parse(context, read);
  });
}

function parse(context: RequestContext, bytes: Buffer | GatewayResponse): GatewayResponse | undefined {
  if (isResponse(bytes)) return bytes;
  const parsed = parseBody(requireRoute(context).endpoint, bytes);
  if (isResponse(parsed)) return parsed;
  context.body = parsed.value;
  return undefined;
}

/** The body as the endpoint takes it; one that it does not take is not looked at. */
export function parseBody(endpoint: Endpoint, bytes: Uint8Array): Parsed | GatewayResponse {
  const wanted = 'body' in endpoint ? endpoint.body : undefined;
  if (wanted === undefined || (wanted === 'json-if-any' && bytes.length === 0)) return { value: undefined };
  return parseJsonBytes(bytes);
}
