import type { IncomingMessage } from 'node:http';
import type { Network } from '../../domain/network.ts';
import type { Scope } from '../../domain/scope.ts';
import { addressAllowed } from '../../domain/scope-checks.ts';
import { clientAddress } from '../http/client-address.ts';
import { type GatewayResponse, rateLimited, WRONG_NETWORK } from '../http/response.ts';
import type { RequestContext } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';

/** Lets a request in by where it comes from and by how many came before it. */
export function admit(context: RequestContext, services: GatewayServices): GatewayResponse | undefined {
  const { grant } = requireAccess(context);
  if (!isFromAllowedNetwork(grant.scope, context.message, services.trustedProxies)) return WRONG_NETWORK;
  const waitMs = services.requestRate.take(grant.id);
  return waitMs > 0 ? rateLimited(waitMs) : undefined;
}

/** Whether a scope lets requests come from where this one came. One that cannot be told does not. */
export function isFromAllowedNetwork(
  scope: Scope,
  { socket, rawHeaders }: Pick<IncomingMessage, 'rawHeaders' | 'socket'>,
  trustedProxies: readonly Network[],
): boolean {
  if (scope.from === undefined) return true;
  const address = clientAddress(socket.remoteAddress, rawHeaders, trustedProxies);
  return address !== null && addressAllowed(scope, address);
}
