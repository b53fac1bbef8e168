import type { GatewayResponse } from '../http/response.ts';
import type { RequestContext } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';
import { onBehalfOf } from '../request/tools.ts';
import { createAsk } from '../upstream/ask.ts';

/** Refuses a request about a user who is in no room in scope. */
export function checkSharedRoom(
  context: RequestContext,
  services: GatewayServices,
): Promise<GatewayResponse | undefined> | undefined {
  const { plan } = context;
  if (plan?.kind !== 'forward' || plan.sharedRoomWith === null) return undefined;
  const ask = createAsk(services, onBehalfOf(context));
  const { upstreamTimeoutMs } = services.limits;
  return services
    .sharedRoom(plan.sharedRoomWith, requireAccess(context), ask, upstreamTimeoutMs)
    .then((refused) => refused ?? undefined);
}
