import { permissionCovers, nameOf } from './permission.ts';
import { type Capability, CAPABILITY } from './capability.ts';
import { listVerdict, type OperationName } from './endpoint-rule.ts';
import type { UserId } from './ids.ts';
import { networkHolds } from './network.ts';
import { type PowerAction, type RoomPower, isWithinPower } from './power.ts';
import { allows, type Scope } from './scope.ts';
import { matchesPattern } from './wildcard.ts';

/** Capabilities that put an event into a room: `types` counts for them. */
const SENDS: readonly Capability[] = ['send', 'state', 'edit', 'react', 'plaintext'];

/**
 * Whether the scope holds the capability for this type of event or of account data, with all that the
 * capability needs beside it (an edit is also sent). Rooms, power and rules are asked apart.
 * @param stateKey of a state event; null: there is none
 */
export function typeAllowed(
  scope: Scope,
  capability: Capability,
  type: string,
  stateKey: string | null = null,
): boolean {
  if (!scope.can.some((permission) => permissionCovers(permission, capability, type, stateKey))) return false;
  if (
    SENDS.includes(capability) &&
    scope.types !== undefined &&
    !scope.types.some((pattern) => matchesPattern(pattern, type))
  )
    return false;
  return CAPABILITY[capability].needs.every((needed) => typeAllowed(scope, needed, type, stateKey));
}

/** Whether requests may come from this address. One that cannot be read may not, where networks are named. */
export function addressAllowed(scope: Scope, address: string): boolean {
  return scope.from === undefined || scope.from.some((network) => networkHolds(network, address));
}

/**
 * What the endpoint firewall says of a request.
 * @param path as it came, encoded, without query
 * @param otherNames further names under which the same operation is served
 */
export function ruleVerdict(
  scope: Scope,
  method: string,
  path: string,
  otherNames: readonly OperationName[],
): 'allow' | 'deny' {
  return (scope.rules ?? []).every((list) => listVerdict(list, method, path, otherNames) === 'allow')
    ? 'allow'
    : 'deny';
}

/** Whether the scope's ceiling lets the subject do this, by the room's power levels as they stand. */
export function powerAllows(scope: Scope, subject: UserId, room: RoomPower, deed: PowerAction): boolean {
  return scope.power === undefined || isWithinPower(scope.power, subject, room, deed);
}

/** Whether one more request may be made, after so many. */
export function usesLeft(scope: Scope, used: number): number {
  return scope.uses === undefined ? Number.POSITIVE_INFINITY : Math.max(0, scope.uses - used);
}

/** Whether anything in the scope writes. */
export function writes(scope: Scope): boolean {
  return scope.can.some((permission) => CAPABILITY[nameOf(permission)].writes);
}

/** Capabilities that lack what they need, with what each lacks: such a grant would say more than it does. */
export function lacking(
  scope: Scope,
): readonly { readonly capability: Capability; readonly needs: Capability }[] {
  const names = [...new Set(scope.can.map(nameOf))];
  return names.flatMap((capability) =>
    CAPABILITY[capability].needs
      .filter((needed) => !allows(scope, needed))
      .map((needs) => ({ capability, needs })),
  );
}
