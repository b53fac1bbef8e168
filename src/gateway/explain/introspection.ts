import { type PermissionParts, splitPermission } from '../../domain/permission.ts';
import { CAPABILITY } from '../../domain/capability.ts';
import type { EndpointRule } from '../../domain/endpoint-rule.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { CATALOGUE } from '../endpoints/catalogue.ts';
import { isOpenTo, probesOf } from './open-endpoints.ts';
import type { Scope } from '../../domain/scope.ts';

/** What a holder is told of a capability it holds. */
type HeldCapability = {
  readonly name: string;
  /** Null: of any type; then of any state key. */
  readonly type: string | null;
  readonly state_key: string | null;
  readonly where: 'rooms' | 'account';
  readonly writes: boolean;
  readonly allows: string;
};

/** An operation that is open to the token, at least for some rooms, types or users. */
type OpenEndpoint = {
  readonly operation: string;
  readonly needs: string | null;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
};

/**
 * What a token is good for, as `GET /_mintwarden/v1/token` tells it. The shape is the first: fields are added
 * to it, none is taken away or changes its meaning, or `version` counts up. Times are epoch milliseconds.
 */
export type Introspection = {
  readonly version: 1;
  readonly grant_id: string;
  readonly user_id: string;
  /** The same sentence as in the notice. */
  readonly sentence: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly expires_in_ms: number;
  /** How many more requests may be made; null: as many as one likes. */
  readonly uses_left: number | null;
  /** What was granted: a part that is missing narrows nothing. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** The rooms that are open at this moment. */
  readonly open_rooms: readonly string[];
  readonly capabilities: readonly HeldCapability[];
  readonly endpoints: readonly OpenEndpoint[];
};

/**
 * What may I do, until when? Pure. Who made the grant and why stands in the notice, not here.
 * @param usesLeft null where the scope does not count requests
 */
export function introspection(
  access: Access,
  sentence: string,
  usesLeft: number | null,
  now: number,
): Introspection {
  const { grant, rooms } = access;
  return {
    version: 1,
    grant_id: grant.id,
    user_id: grant.subject,
    sentence,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt,
    expires_in_ms: Math.max(0, grant.expiresAt - now),
    uses_left: usesLeft,
    scope: scopeOf(access),
    open_rooms: [...rooms],
    capabilities: grant.scope.can.map(splitPermission).map(heldCapability),
    endpoints: endpointsOf(access, now),
  };
}

function heldCapability({ name, type, key }: PermissionParts): HeldCapability {
  const { where, writes, allows } = CAPABILITY[name];
  return { name, type, state_key: key, where, writes, allows };
}

/** Each part by name, so that what the ledger keeps beside it one day is not told by itself. */
function scopeOf({ grant: { scope } }: Access): Readonly<Record<string, unknown>> {
  const { rooms, can, by, types, power, rules, from, uses, followUpgrades } = scope;
  const parts = {
    rooms,
    can,
    rooms_by: by,
    types,
    power,
    rules: rules?.map((list) => list.map(ruleOf)),
    from,
    uses,
    follow_upgrades: followUpgrades,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

function ruleOf({ verdict, on }: EndpointRule): EndpointRule {
  return { verdict, on };
}

/** A scope does not change, and to find out what it opens takes longer than all else that is told. */
const KNOWN = new WeakMap<Scope, { readonly device: boolean; readonly endpoints: readonly OpenEndpoint[] }>();

function endpointsOf(access: Access, now: number): readonly OpenEndpoint[] {
  const { scope } = access.grant;
  const device = access.device === true;
  const known = KNOWN.get(scope);
  if (known?.device === device) return known.endpoints;
  const probes = probesOf(access.grant);
  const endpoints = CATALOGUE.flatMap((endpoint): readonly OpenEndpoint[] => {
    if (endpoint.kind === 'static' || endpoint.kind === 'public' || endpoint.kind === 'refused') return [];
    if (!isOpenTo(endpoint, access, probes, now)) return [];
    const paths = [...new Set(endpoint.paths.map((path) => path.replace('/{v}/', '/v3/')))];
    return [
      {
        operation: endpoint.id,
        needs: endpoint.needs === 'holder' ? null : endpoint.needs,
        methods: endpoint.methods === 'any' ? ['any'] : endpoint.methods,
        paths,
      },
    ];
  });
  KNOWN.set(scope, { device, endpoints });
  return endpoints;
}
