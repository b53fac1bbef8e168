import type { TaskContext, TaskServices } from '../request/task.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { type GatewayResponse, ok, UNAVAILABLE } from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { requireAccess } from '../request/access.ts';

/** Ends the token's own grant. */
export async function withdraw(
  context: TaskContext,
  { accessControl }: TaskServices,
): Promise<GatewayResponse> {
  // The end that it brings about must not cut its own answer off.
  context.mayOutliveGrant = true;
  try {
    await accessControl.withdraw(requireAccess(context).grant.id);
    return ok({});
  } catch (error) {
    if (error instanceof MintwardenError) return UNAVAILABLE;
    throw error;
  }
}

/** Tells what the token is good for. */
export async function introspect(context: TaskContext, services: TaskServices): Promise<GatewayResponse> {
  const access = requireAccess(context);
  const { grant } = access;
  const { accessControl, sentence, now } = services;
  const usesLeft =
    grant.scope.uses === undefined
      ? null
      : await unlessAborted(accessControl.usesLeft(grant.id), context.signal);
  return ok(services.introspect(access, sentence(grant, now()), usesLeft, now()));
}
