import { parseBearer } from '../http/bearer.ts';
import { type GatewayResponse, isResponse, ok } from '../http/response.ts';
import type { RequestContext } from '../request/context.ts';
import type { GatewayServices } from '../request/services.ts';

/** Answers what needs no token. */
export function servePublic(
  context: RequestContext,
  services: GatewayServices,
): GatewayResponse | Promise<GatewayResponse> | undefined {
  const endpoint = context.route?.endpoint;
  if (endpoint?.kind === 'static')
    return ok(endpoint.respond({ message: context.message, params: context.route?.params ?? {} }, services));
  if (endpoint?.kind !== 'public') return undefined;
  const { to, filter, deviceFilter } = endpoint;
  if (deviceFilter === undefined) return services.publicAnswers(to, filter);
  return hasDevice(context, services).then((device) =>
    services.publicAnswers(to, device ? deviceFilter : filter),
  );
}

/** Whether the request shows a valid token that has a device. Who shows none, or an invalid one, is anybody. */
async function hasDevice({ message }: RequestContext, { accessControl }: GatewayServices): Promise<boolean> {
  const bearer = parseBearer(message.rawHeaders);
  if (isResponse(bearer)) return false;
  const presented = await accessControl.verifyToken(bearer.token);
  return presented.kind === 'valid' && presented.access.device === true;
}
