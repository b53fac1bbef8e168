import { repeatedHeader } from '../http/bearer.ts';
import { ambiguous, type GatewayResponse, isResponse, WRONG_METHOD } from '../http/response.ts';
import { parseTarget } from '../http/target.ts';
import type { Decision, RequestContext } from '../request/context.ts';
import type { GatewayServices } from '../request/services.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE']);
/** For a request that is not well-formed HTTP. */
export const MALFORMED = ambiguous('it is not proper HTTP');

/** Refuses a head that two parsers could read differently. */
export function checkHead(context: RequestContext): GatewayResponse | undefined {
  const { rawHeaders, httpVersionMajor } = context.message;
  // HTTP/0.9 has neither headers nor an end.
  const fault = httpVersionMajor === 0 ? MALFORMED : repeatedHeader(rawHeaders);
  if (fault === null) return undefined;
  context.operation = 'ambiguous';
  // RFC 9112, 6.3: where it is not sure where a message ends, the connection does.
  return { ...fault, closeConnection: true };
}

/** Reads method and target strictly. */
export function parse(
  decision: Decision & { operation?: string },
  { routeCache }: Pick<GatewayServices, 'routeCache'>,
): GatewayResponse | undefined {
  const known = routeCache.get(decision.method, decision.rawTarget);
  if (known !== undefined) {
    decision.target = known.target;
    decision.route = known.route;
    return undefined;
  }
  const target = parseTarget(decision.rawTarget);
  if (isResponse(target)) {
    decision.operation = 'ambiguous';
    return target;
  }
  decision.target = target;
  if (METHODS.has(decision.method)) return undefined;
  decision.operation = 'method';
  return WRONG_METHOD;
}
