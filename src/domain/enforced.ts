import { type Permission, splitPermission } from './permission.ts';
import { CAPABILITY, type Capability } from './capability.ts';
import type { Scope } from './scope.ts';

/** A part of a scope besides rooms and capabilities by name. */
export type ScopeFeature = 'by' | 'types' | 'power' | 'rules' | 'from' | 'uses' | 'followUpgrades';

/** What a gateway enforces of a scope. */
export type Enforcement = {
  readonly capabilities: readonly Capability[];
  /** Capabilities of which it also enforces the type, or type and key, that stands after the name. */
  readonly typed: readonly Capability[];
  readonly features: readonly ScopeFeature[];
};

/**
 * What the gateway of this version enforces. Nothing else is minted, and a stored scope with anything else
 * in it is void. A capability or feature is added here in the commit that builds it into the gateway,
 * together with the tests that attack it; never before.
 */
export const ENFORCED: Enforcement = {
  capabilities: [
    'read',
    'send',
    'react',
    'edit',
    'redact',
    'redact-others',
    'plaintext',
    'state',
    'join',
    'leave',
    'knock',
    'invite',
    'kick',
    'ban',
    'unban',
    'media',
    'media-any',
    'upload',
    'receipts',
    'typing',
    'markers',
    'tags',
    'profile',
    'presence',
    'directory',
    'notifications',
    'push-rules',
    'account-data',
  ],
  typed: ['read', 'send', 'state', 'account-data'],
  features: ['by', 'types', 'power', 'rules', 'from', 'uses', 'followUpgrades'],
};

/** Something in a scope that is not enforced. */
export type Unenforced =
  | { readonly kind: 'capability'; readonly permission: Permission }
  | { readonly kind: 'typed'; readonly permission: Permission }
  | { readonly kind: 'feature'; readonly feature: ScopeFeature };

/** All that a scope has in it and the gateway does not enforce; empty: it may be minted. */
export function unenforced(scope: Scope, by: Enforcement): readonly Unenforced[] {
  const capabilities = scope.can.flatMap((permission): Unenforced[] => {
    const { name, type } = splitPermission(permission);
    if (!by.capabilities.includes(name)) return [{ kind: 'capability', permission }];
    return type !== null && !by.typed.includes(name) ? [{ kind: 'typed', permission }] : [];
  });
  const features = featuresOf(scope).filter((feature) => !by.features.includes(feature));
  return [...capabilities, ...features.map((feature): Unenforced => ({ kind: 'feature', feature }))];
}

/** The features a scope uses. A part that is there counts, whatever its value. */
function featuresOf(scope: Scope): readonly ScopeFeature[] {
  const { v: _v, rooms: _rooms, can: _can, ...features } = scope;
  return Object.entries(features satisfies Partial<Record<ScopeFeature, unknown>>).flatMap(
    ([feature, value]) => (value === undefined ? [] : [feature as ScopeFeature]),
  );
}

/** What only a token with its own device could do; an issuer that creates none cannot offer it. */
export function needsDevice(scope: Scope): readonly Permission[] {
  return scope.can.filter((permission) => CAPABILITY[splitPermission(permission).name].device);
}
