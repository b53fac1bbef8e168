import type { Decision } from '../request/context.ts';
import type { GatewayServices } from '../request/services.ts';

/**
 * Finds the endpoint. One that is missing is refused later: only a valid token learns which endpoints exist.
 */
export function route(
  decision: Decision & { operation?: string },
  { router, routeCache }: Pick<GatewayServices, 'router' | 'routeCache'>,
): undefined {
  const { method, rawTarget, target } = decision;
  if (decision.route === null && target !== null) {
    decision.route = router(method, target.segments);
    routeCache.set(method, rawTarget, { target, route: decision.route });
  }
  decision.operation = decision.route?.endpoint.id ?? 'none';
}
