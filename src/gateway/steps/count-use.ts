import { type GatewayResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { isTask } from '../request/endpoint.ts';

/**
 * Counts the request if the token has a limited number of uses: every request that is carried out or
 * answered. What the request and the scope alone refuse is not counted.
 */
export function countUse(context: RequestContext): Promise<GatewayResponse | undefined> | undefined {
  const { use } = context;
  const { endpoint } = requireRoute(context);
  if (use === null || isTask(endpoint, 'token')) return undefined;
  return use.count().then((counted) => (counted ? undefined : UNKNOWN_TOKEN));
}
