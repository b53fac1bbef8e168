import { type GatewayResponse, rateLimited } from '../http/response.ts';
import { createUse } from '../limits/uses.ts';
import type { RequestContext } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';

/**
 * Counts the request as open and reserves what it will hold, until its answer was read: one that nobody reads is
 * in memory still.
 */
export function reserve(context: RequestContext, services: GatewayServices): GatewayResponse | undefined {
  const { grant } = requireAccess(context);
  const leave = services.open.enter(grant.id, context);
  if (leave === null) return rateLimited(1_000);
  const memory = services.memory.reserve(grant.id);
  const use = grant.scope.uses === undefined ? null : createUse(services.accessControl, grant.id);
  context.memory = memory;
  context.use = use;
  context.leave = leave;
  context.onClose(() => {
    leave();
    memory.close();
    use?.over();
  });
  return undefined;
}
