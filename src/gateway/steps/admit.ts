import type { IncomingMessage } from 'node:http';
import type { Network } from '../../domain/network.ts';
import type { Scope } from '../../domain/scope.ts';
import { addressAllowed } from '../../domain/scope-checks.ts';
import { clientAddress } from '../http/client-address.ts';
import { rateLimited, WRONG_NETWORK } from '../http/response.ts';
import { type RequestContext, type StepResult, WAIT } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';
import { authenticate } from './authenticate.ts';

/** Admits a request by its network and by the grant's request rate. */
export function admit(context: RequestContext, services: GatewayServices): StepResult | Promise<StepResult> {
  const { grant } = requireAccess(context);
  if (!isFromAllowedNetwork(grant.scope, context.message, services.trustedProxies)) return WRONG_NETWORK;
  const waitMs = services.requestRate.take(grant.id);
  if (!(waitMs instanceof Promise)) return waitMs > 0 ? rateLimited(waitMs) : undefined;
  // The grant may have ended while another process was asked: the token is verified again, and the request goes
  // on in the same turn.
  waitMs
    .then((ms) => context.resume(ms > 0 ? rateLimited(ms) : authenticate(context, services)))
    .catch((error: unknown) => context.fail(error));
  return WAIT;
}

/** Whether a scope lets requests come from where this one came. If the address is not known, it does not. */
export function isFromAllowedNetwork(
  scope: Scope,
  { socket, rawHeaders }: Pick<IncomingMessage, 'rawHeaders' | 'socket'>,
  trustedProxies: readonly Network[],
): boolean {
  if (scope.from === undefined) return true;
  const address = clientAddress(socket.remoteAddress, rawHeaders, trustedProxies);
  return address !== null && addressAllowed(scope, address);
}
