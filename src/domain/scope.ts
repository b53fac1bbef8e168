import { z } from 'zod';
import { CAPABILITIES, type Capability } from './capability.ts';
import { MintwardenError } from './errors.ts';
import { parseRoomId, type RoomId } from './ids.ts';

/**
 * What a grant allows. Pinned at mint and never widened. `rooms: 'all'` is every room the subject is in,
 * less what is outside every scope; an empty list is no rooms.
 */
export type Scope = {
  readonly v: 1;
  readonly rooms: 'all' | readonly RoomId[];
  readonly can: readonly Capability[];
};

const roomId = z.string().transform((text, context) => {
  const id = parseRoomId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'not a room id' });
  return z.NEVER;
});

const stored = z.strictObject({
  v: z.literal(1),
  rooms: z.union([z.literal('all'), z.array(roomId).readonly()]),
  can: z.array(z.enum(CAPABILITIES)).readonly(),
});

/**
 * A scope as it was stored. What is not known (a key, a capability, a version) makes the whole of it void:
 * a scope that is not understood allows nothing.
 * @throws MintwardenError `state`
 */
export function parseScope(value: unknown): Scope {
  const result = stored.safeParse(value);
  if (result.success) return result.data;
  throw new MintwardenError('state', 'A stored scope has something in it that this version does not know; it allows nothing.');
}

/** The intersection: what both scopes allow, no more. */
export function narrow(a: Scope, b: Scope): Scope {
  const rooms =
    a.rooms === 'all' ? b.rooms : b.rooms === 'all' ? a.rooms : a.rooms.filter((room) => (b.rooms as readonly RoomId[]).includes(room));
  return { v: 1, rooms, can: a.can.filter((capability) => b.can.includes(capability)) };
}

/**
 * The rooms a scope opens right now: those it names, or all the subject is in, less those outside every
 * scope. The gateway asks this set and nothing else, so it never has to know what `all` means.
 */
export function openRooms(scope: Scope, joined: readonly RoomId[], outside: ReadonlySet<RoomId>): ReadonlySet<RoomId> {
  const named = scope.rooms === 'all' ? joined : scope.rooms;
  return new Set(named.filter((room) => !outside.has(room)));
}

/** Whether the scope holds the capability. */
export function allows(scope: Scope, capability: Capability): boolean {
  return scope.can.includes(capability);
}
