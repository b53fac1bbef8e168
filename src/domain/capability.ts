/**
 * What a holder may do, by name. `read` is what a member sees of a room itself: its timeline, state and
 * members. Everything else is asked for by name. A name that is not in this list is never granted.
 */
export const CAPABILITIES = ['read'] as const;

/** One of `CAPABILITIES`. */
export type Capability = (typeof CAPABILITIES)[number];
