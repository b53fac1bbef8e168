import type { Capability } from '../../domain/capability.ts';
import { allows } from '../../domain/scope.ts';
import { type GatewayResponse, missingCapability } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import { holds } from '../filters/read-view.ts';

/** An endpoint's `authorize`: any of these capabilities is enough; if all are missing, the first is named. */
export function requireOneOf(
  first: Capability,
  ...others: readonly Capability[]
): (call: Call) => GatewayResponse | null {
  return ({ access }) =>
    [first, ...others].some((capability) => holds(access.grant.scope, capability))
      ? null
      : missingCapability(first);
}

/** The same where `read` of some types will do. For what shows nothing. */
export function requireOneOfAnyType(
  first: Capability,
  ...others: readonly Capability[]
): (call: Call) => GatewayResponse | null {
  return ({ access }) =>
    [first, ...others].some((capability) => allows(access.grant.scope, capability))
      ? null
      : missingCapability(first);
}
