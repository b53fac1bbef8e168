import type { IncomingMessage } from 'node:http';
import type { Network } from '../../domain/network.ts';
import { addressAllowed, ruleVerdict } from '../../domain/scope-checks.ts';
import type { Scope } from '../../domain/scope.ts';
import { type GatewayResponse, REFUSED_BY_RULES, WRONG_NETWORK } from '../http/response.ts';
import { clientAddress } from '../http/client-address.ts';
import type { Target } from '../http/target.ts';
import { pathsOf, type Route } from '../endpoints/router.ts';

/** Whether a scope lets requests come from where this one came. Null: yes. */
export function wrongNetwork(
  scope: Scope,
  request: Pick<IncomingMessage, 'rawHeaders' | 'socket'>,
  trusted: readonly Network[],
): GatewayResponse | null {
  if (scope.from === undefined) return null;
  const address = clientAddress(request.socket.remoteAddress, request.rawHeaders, trusted);
  return address !== null && addressAllowed(scope, address) ? null : WRONG_NETWORK;
}

/**
 * Whether the scope's endpoint rules let a request pass. Null: yes. A rule that speaks of one name of an
 * operation speaks of all its names. What the token can do to itself (to be given up, to be explained) no
 * rule takes away.
 */
export function ruledOut(scope: Scope, method: string, target: Target, route: Route): GatewayResponse | null {
  if (scope.rules === undefined || route.line.kind === 'deed') return null;
  // As it was understood, encoded again: one spelling, whatever the holder's was.
  const path = target.segments.map(({ text }) => `/${encodeURIComponent(text)}`).join('');
  const names = pathsOf(route.line).flatMap((name) =>
    name.endsWith('/**') ? [] : [pathNamed(name, route.params)],
  );
  return ruleVerdict(scope, method, path, names) === 'allow' ? null : REFUSED_BY_RULES;
}

/**
 * Another name's path for the same parameters. One that the request did not have is empty, as the operation
 * takes it.
 */
function pathNamed(name: string, params: Route['params']): string {
  const path = name.replaceAll(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(params[parameter] ?? ''),
  );
  // Rules forgive one slash at the end; the empty parameter there is a segment.
  return path.endsWith('/') && name.endsWith('}') ? `${path}/` : path;
}
