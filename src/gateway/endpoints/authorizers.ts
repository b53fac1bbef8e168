import type { Capability } from '../../domain/capability.ts';
import { allows } from '../../domain/scope.ts';
import { type GatewayResponse, missingCapability } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import { holds } from '../filters/read-view.ts';

/** A line's `may`: one of these will do; the first is named where all are missing. */
export function oneOfThese(
  first: Capability,
  ...others: readonly Capability[]
): (call: Call) => GatewayResponse | null {
  return ({ access }) =>
    [first, ...others].some((capability) => holds(access.grant.scope, capability))
      ? null
      : missingCapability(first);
}

/** The same where `read` of some types will do. For what shows nothing. */
export function anyOfThese(
  first: Capability,
  ...others: readonly Capability[]
): (call: Call) => GatewayResponse | null {
  return ({ access }) =>
    [first, ...others].some((capability) => allows(access.grant.scope, capability))
      ? null
      : missingCapability(first);
}
