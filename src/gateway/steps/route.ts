import type { Decision } from '../request/context.ts';
import type { GatewayServices } from '../request/services.ts';

/**
 * Finds the endpoint. One that is missing is refused later: only who shows a valid token is told what there is.
 */
export function route(
  decision: Decision & { operation?: string },
  { router }: Pick<GatewayServices, 'router'>,
): undefined {
  decision.route = router(decision.method, decision.target?.segments ?? []);
  decision.operation = decision.route?.endpoint.id ?? 'none';
}
