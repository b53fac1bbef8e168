import { type Permission, minimalPermissions, nameOf, intersectPermissions } from './permission.ts';
import type { Capability } from './capability.ts';
import { creatorMatches, type CreatorPattern, minimalCreators, intersectCreators } from './creator.ts';
import type { EndpointRule } from './endpoint-rule.ts';
import type { RoomId, UserId } from './ids.ts';
import { minimalNetworks, type Network, intersectNetworks } from './network.ts';
import { compareText, covers, minimal, intersect } from './wildcard.ts';

/**
 * What a grant allows. Pinned at mint and never widened. All parts apply
 * together, and each can refuse alone. An absent part restricts nothing; a part that is an empty list lets
 * nothing through.
 */
export type Scope = {
  readonly v: 1;
  /** `all` is every room the subject is in, less what is outside every scope; an empty list is no rooms. */
  readonly rooms: 'all' | readonly RoomId[];
  readonly can: readonly Permission[];
  /** Of those rooms, only the ones whose create event one of these users sent: it cannot change. */
  readonly by?: readonly CreatorPattern[];
  /** Types of events that may be sent, as messages or as state, whatever `can` says. A `*` may end each. */
  readonly types?: readonly string[];
  /** Acts as if the subject had at most this power, in every room. */
  readonly power?: number;
  /** The endpoint firewall: each list must let a request pass. */
  readonly rules?: readonly (readonly EndpointRule[])[];
  /** Networks that requests may come from. */
  readonly from?: readonly Network[];
  /** How many requests may be made, above zero. */
  readonly uses?: number;
  /** When a room in scope is replaced, the new one is in scope too. The only part that widens. */
  readonly followUpgrades?: true;
};

/** What narrows a scope, rooms and capabilities aside. */
export type ScopeLimits = Omit<Scope, 'v' | 'rooms' | 'can'>;

/** The scope in canonical form: sorted, without duplicates. Equal scopes have equal JSON. */
export function canonical(scope: Scope): Scope {
  return {
    v: 1,
    rooms: scope.rooms === 'all' ? 'all' : [...new Set(scope.rooms)].toSorted(compareText),
    can: minimalPermissions(scope.can),
    ...(scope.by === undefined ? {} : { by: minimalCreators(scope.by) }),
    ...(scope.types === undefined || scope.types.includes('*') ? {} : { types: leastTypes(scope.types) }),
    ...(scope.power === undefined ? {} : { power: scope.power }),
    ...rulesOf(scope.rules ?? []),
    ...(scope.from === undefined ? {} : { from: minimalNetworks(scope.from) }),
    ...(scope.uses === undefined ? {} : { uses: scope.uses }),
    ...(scope.followUpgrades === true ? { followUpgrades: true as const } : {}),
  };
}

/** The intersection: exactly what both scopes allow, in canonical form. */
export function narrow(a: Scope, b: Scope): Scope {
  const rooms =
    a.rooms === 'all'
      ? b.rooms
      : b.rooms === 'all'
        ? a.rooms
        : a.rooms.filter((room) => (b.rooms as readonly RoomId[]).includes(room));
  const { followUpgrades, ...rest } = {
    by: either(a.by, b.by, intersectCreators),
    types: either(a.types, b.types, sharedTypes),
    power: either(a.power, b.power, Math.min),
    rules: either(a.rules, b.rules, (one, other) => [...one, ...other]),
    from: either(a.from, b.from, intersectNetworks),
    uses: either(a.uses, b.uses, Math.min),
    followUpgrades: a.followUpgrades === true && b.followUpgrades === true,
  };
  const there = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return canonical({
    ...there,
    v: 1,
    rooms,
    can: intersectPermissions(a.can, b.can),
    ...(followUpgrades ? { followUpgrades } : {}),
  });
}

/** Where one of them narrows nothing, the other counts. */
function either<T>(a: T | undefined, b: T | undefined, both: (a: T, b: T) => T): T | undefined {
  return a === undefined ? b : b === undefined ? a : both(a, b);
}

function leastTypes(types: readonly string[]): readonly string[] {
  return minimal(types, covers, (type) => type);
}

function sharedTypes(a: readonly string[], b: readonly string[]): readonly string[] {
  return intersect(a, b, (one, other) => (covers(one, other) ? other : covers(other, one) ? one : null));
}

/** The order within a list counts, the order of lists does not. An empty list lets everything pass. */
function rulesOf(lists: readonly (readonly EndpointRule[])[]): Pick<Scope, 'rules'> {
  const texts = new Map(
    lists
      .filter((list) => list.length > 0)
      .map((list) => [JSON.stringify(list.map(({ verdict, on }) => [verdict, on])), list]),
  );
  const rules = [...texts]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([, list]) => list.map(({ verdict, on }) => ({ verdict, on })));
  return rules.length === 0 ? {} : { rules };
}

/**
 * The rooms a scope opens right now: those it names, or all the subject is in, less those outside every
 * scope. The gateway asks this set and nothing else, so it never has to know what `all` means.
 * @param creators who sent the create event, where it is known: a scope by creator opens no other room
 */
export function openRooms(
  scope: Scope,
  joined: readonly RoomId[],
  outside: ReadonlySet<RoomId>,
  creators: ReadonlyMap<RoomId, UserId> = new Map(),
): ReadonlySet<RoomId> {
  const named = scope.rooms === 'all' ? joined : scope.rooms;
  return new Set(
    named.filter(
      (roomId) =>
        !outside.has(roomId) && roomMatches(scope, { roomId, creator: creators.get(roomId) ?? null }),
    ),
  );
}

/**
 * Whether the scope speaks of the room. It says nothing of membership, and nothing of rooms outside every
 * scope: callers have checked those before.
 * @param room `creator`: who sent its create event; null: not known, then a scope by creator does not open it
 */
export function roomMatches(
  scope: Scope,
  room: { readonly roomId: RoomId; readonly creator: UserId | null },
): boolean {
  const { roomId, creator } = room;
  if (scope.rooms !== 'all' && !scope.rooms.includes(roomId)) return false;
  return (
    scope.by === undefined ||
    (creator !== null && scope.by.some((pattern) => creatorMatches(pattern, creator)))
  );
}

/**
 * Whether rooms can come into the scope later, so that they have to be looked up. Otherwise it names all it
 * will ever have.
 */
export function canGrow(scope: Pick<Scope, 'rooms' | 'followUpgrades'>): boolean {
  return scope.rooms === 'all' || scope.followUpgrades === true;
}

/**
 * Whether the scope holds the capability, of some type at least. Where types count, ask `typeAllowed`
 * besides.
 */
export function allows(scope: Pick<Scope, 'can'>, capability: Capability): boolean {
  return scope.can.some(
    (permission) => nameOf(permission) === capability || (permission === 'read' && capability === 'media'),
  );
}
