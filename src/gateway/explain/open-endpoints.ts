import { harmlessTypes } from '../../domain/delegable.ts';
import { splitPermission } from '../../domain/permission.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import type { ServingEndpoint } from '../request/endpoint.ts';
import { missingFor } from '../steps/authorize.ts';

/** Types that have capabilities, or rules, of their own. */
const PROBES = [
  'm.room.message',
  'm.reaction',
  'm.room.encrypted',
  'm.room.topic',
  'm.room.encryption',
  'm.tag',
  'org.example.any',
];

/** What is asked of an endpoint that judges by type and key. */
type Probe = { readonly type: string; readonly stateKey: string };

/**
 * Whether an endpoint is open to a token at all: for some type and key, some room. The endpoints' own rules are
 * asked, with the types the scope names and a few that matter, so that nothing is said twice.
 * @param probes of the token's scope, made once for all endpoints
 */
export function isOpenTo(
  endpoint: ServingEndpoint,
  access: Access,
  probes: readonly Probe[],
  now: number,
): boolean {
  if (endpoint.device === true && access.device !== true) return false;
  const userId = access.grant.subject;
  const isOpen = ({ type, stateKey }: Probe): boolean =>
    missingFor(endpoint, {
      params: { eventType: type, type, stateKey, userId },
      query: new Map(),
      body: undefined,
      access,
      now,
    }) === null;
  // Without a word of its own it looks at no type.
  return endpoint.authorize !== undefined ? probes.some(isOpen) : probes.slice(0, 1).some(isOpen);
}

/**
 * The types and keys that tell what a scope opens. Each permission is asked with its own key: all types with
 * all keys would take a holder of many so long that others wait.
 */
export function probesOf({ scope, subject }: Access['grant']): readonly Probe[] {
  const { can, types = [] } = scope;
  const named = can.map(splitPermission).filter(({ type }) => type !== null);
  const usual = ['', subject];
  const keys = new Set([
    ...usual,
    ...named.flatMap(({ key }) => (key === null ? [] : [withoutWildcard(key)])),
  ]);
  const pairs = (of: readonly string[], keyed: Iterable<string>) =>
    of.flatMap((type) => [...keyed].map((stateKey) => ({ type, stateKey })));
  const own = named.flatMap(({ name, type, key }) =>
    [withoutWildcard(type ?? ''), ...harmlessTypes(name, type ?? '').slice(0, 1)].map((one) => ({
      type: one,
      stateKey: withoutWildcard(key ?? ''),
    })),
  );
  return [...pairs(PROBES, usual), ...pairs(types.map(withoutWildcard), keys), ...own];
}

/** A word that the pattern means. */
function withoutWildcard(pattern: string): string {
  return pattern.endsWith('*') ? `${pattern.slice(0, -1)}x` : pattern;
}
