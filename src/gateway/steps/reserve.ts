import type { Grant } from '../../domain/grant.ts';
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
  const { grant } = requireAccess(context);
  const entered = services.open.enter(grant.id, context);
  return entered instanceof Promise
    ? entered.then((leave) => hold(context, services, grant, leave))
    : hold(context, services, grant, entered);
}

function hold(
  context: RequestContext,
  services: GatewayServices,
  grant: Grant,
  leave: (() => void) | null,
): StepResult {
  if (leave === null) return rateLimited(1_000);
  // It ended while it waited for another process, and nothing that comes later will count it out.
  if (context.abortReason !== null) {
    leave();
    return undefined;
  }
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
