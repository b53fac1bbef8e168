import type { Capability } from '../../domain/capability.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Scope } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';

/** Whose own data an answer may show, and by which scope; plain data, for another thread. */
export type ReadView = { readonly subject: UserId; readonly scope: Scope };

/** Whether the scope holds the capability, of any type. */
export function holds(scope: Scope, capability: Capability): boolean {
  return scope.can.includes(capability);
}

/** What a holder may see of the subject's own. */
export function readViewOf({ grant }: Pick<Access, 'grant'>): ReadView {
  return { subject: grant.subject, scope: grant.scope };
}

/**
 * Types of room account data that are a capability of their own (spec 1.19, "Room tagging", "Fully read
 * markers", "Marking rooms as unread").
 */
const OWN_CAPABILITY: Readonly<Record<string, 'tags' | 'markers'>> = {
  'm.tag': 'tags',
  'm.fully_read': 'markers',
  'm.marked_unread': 'markers',
  'com.famedly.marked_unread': 'markers',
};

/** The types that these capabilities open, besides those of `account-data`. */
export function ownTypes({ scope }: Pick<ReadView, 'scope'>): readonly string[] {
  return Object.keys(OWN_CAPABILITY).filter((type) =>
    scope.can.includes(OWN_CAPABILITY[type] ?? 'account-data'),
  );
}

/** Whether account data of this type may be read. @param of a room's, or the account's own */
export function mayReadAccountData(scope: Scope, type: string, of: 'room' | 'account'): boolean {
  if (of === 'room' && Object.hasOwn(OWN_CAPABILITY, type)) return ownTypes({ scope }).includes(type);
  return typeAllowed(scope, 'account-data', type);
}
