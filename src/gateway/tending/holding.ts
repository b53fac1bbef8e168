import type { Capability } from '../../domain/capability.ts';
import type { Scope } from '../../domain/scope.ts';
import type { Answer } from '../answer.ts';
import { lacking } from '../answer.ts';
import type { Call } from '../catalogue/line.ts';

/** Whether the scope holds the capability, of any type. */
export function holds(scope: Scope, capability: Capability): boolean {
  return scope.can.includes(capability);
}

/** A line's `may`: one of these will do; the first is named where all are missing. */
export function oneOfThese(first: Capability, ...others: readonly Capability[]): (call: Call) => Answer | null {
  return ({ access }) => ([first, ...others].some((capability) => holds(access.grant.scope, capability)) ? null : lacking(first));
}
