import type { GrantId } from '../../domain/ids.ts';
import { rateLimited } from '../http/response.ts';
import { createUse } from '../limits/uses.ts';
import type { RequestContext, StepResult } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';

/**
 * Counts the request as open and reserves what it will hold, until its answer was read: an answer that nobody
 * reads stays in memory.
 */
export function reserve(
  context: RequestContext,
  services: GatewayServices,
): StepResult | Promise<StepResult> {
  const { id } = requireAccess(context).grant;
  const entered = services.open.enter(id, context);
  return typeof entered === 'boolean'
    ? hold(context, services, id, entered)
    : entered.then((isEntered) => hold(context, services, id, isEntered));
}

function hold(
  context: RequestContext,
  services: GatewayServices,
  grantId: GrantId,
  isEntered: boolean,
): StepResult {
  if (!isEntered) return rateLimited(1_000);
  // It ended while it waited for another process, and nothing that comes later will count it out.
  if (context.abortReason !== null) {
    services.open.leave(grantId, context);
    return undefined;
  }
  const { scope } = requireAccess(context).grant;
  context.memory = services.memory.reserve(grantId, context);
  context.use = scope.uses === undefined ? null : createUse(services.accessControl, grantId);
  context.onClose(() => {
    services.open.leave(grantId, context);
    context.memory.close();
    context.use?.over();
  });
  return undefined;
}
