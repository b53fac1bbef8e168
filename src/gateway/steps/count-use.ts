import { type GatewayResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { isTask } from '../request/endpoint.ts';

/**
 * Counts the request where a token is good for so many: every one that is carried out or answered. What is
 * refused from the request and the scope alone has used nothing.
 */
export function countUse(context: RequestContext): Promise<GatewayResponse | undefined> | undefined {
  const { use } = context;
  const { endpoint } = requireRoute(context);
  if (use === null || isTask(endpoint, 'token')) return undefined;
  return use.count().then((counted) => (counted ? undefined : UNKNOWN_TOKEN));
}
