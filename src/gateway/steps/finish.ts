import { effectiveState } from '../../domain/grant.ts';
import type { GatewayResponse } from '../http/response.ts';
import { CUT, type RequestContext, requireRoute, type StepResult } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import { isTask } from '../request/endpoint.ts';
import type { GatewayServices } from '../request/services.ts';
import { endedResponse } from './authenticate.ts';

/** Slows clients that repeat a failed poll without pause, with a valid token too. */
export function throttlePolls(
  context: RequestContext,
  { upstreamErrorThrottle }: GatewayServices,
): StepResult | Promise<StepResult> {
  const { result, plan } = context;
  if (!isTask(requireRoute(context).endpoint, 'poll') || plan?.kind !== 'task' || result === null)
    return undefined;
  const { id } = requireAccess(context).grant;
  if (result.status < 500) {
    upstreamErrorThrottle.forget(id);
    return undefined;
  }
  return upstreamErrorThrottle.turn(id, context.signal).then((turn) => (turn ? undefined : CUT));
}

/** Checks the grant again, now that there is an answer: if it ended meanwhile, nothing is shown. */
export function confirmGrant(
  context: RequestContext,
  services: GatewayServices,
): undefined | Promise<GatewayResponse> {
  if (context.mayOutliveGrant) return undefined;
  if (effectiveState(requireAccess(context).grant, services.now()) === 'active') return undefined;
  context.result?.file?.drop();
  return endedResponse(context, services);
}
