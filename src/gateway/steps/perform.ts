import type { GatewayResponse } from '../http/response.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { isTask } from '../request/endpoint.ts';
import type { GatewayServices } from '../request/services.ts';
import { responseForError } from '../upstream/ask.ts';

/** Answers here, or runs the endpoint's task. Requests to forward go on to the next step. */
export function perform(context: RequestContext, services: GatewayServices): undefined | Promise<undefined> {
  const { plan } = context;
  if (plan?.kind === 'answer') context.result = plan.response;
  if (plan?.kind !== 'task') return undefined;
  const { endpoint } = requireRoute(context);
  if (isTask(endpoint, 'media')) context.disableBodyTimeout();
  if (isTask(endpoint, 'poll')) {
    context.isPolling = true;
    services.observer.polling(1);
  }
  return run(plan.task, context, services).then((response) => {
    // Nobody is there to read it.
    if (context.abortReason !== null) response.file?.drop();
    context.result = response;
    return undefined;
  });
}

async function run(
  task: { readonly run: (context: RequestContext, services: GatewayServices) => Promise<GatewayResponse> },
  context: RequestContext,
  services: GatewayServices,
): Promise<GatewayResponse> {
  try {
    return await task.run(context, services);
  } catch (error) {
    if (context.abortReason !== null) throw error;
    return responseForError(error);
  }
}
