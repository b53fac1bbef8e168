import type { Decision } from '../request/context.ts';
import { ENCODED_SLASH } from '../http/target.ts';
import type { GatewayResponse } from '../http/response.ts';
import { slashesBelong } from '../request/slashes.ts';
import type { GatewayServices } from '../request/services.ts';

/**
 * Finds the endpoint. One that is missing is refused later: only a valid token learns which endpoints exist.
 */
export function route(
  decision: Decision & { operation?: string },
  { router, routeCache }: Pick<GatewayServices, 'router' | 'routeCache'>,
): GatewayResponse | undefined {
  const { method, rawTarget, target } = decision;
  if (decision.route === null && target !== null) {
    const found = router(method, target.segments);
    if (target.hasEncodedSlash && (found === null || !slashesBelong(found))) {
      decision.operation = 'ambiguous';
      return ENCODED_SLASH;
    }
    decision.route = found;
    routeCache.set(method, rawTarget, { target, route: decision.route });
  }
  decision.operation = decision.route?.endpoint.id ?? 'none';
  return undefined;
}
