import type { Capability } from '../../domain/capability.ts';

/**
 * The capabilities that operations are sorted by: all but those that only a token with a device of its own
 * could have.
 * `enforced.ts` says which of them can be granted yet.
 */
export type Need = Exclude<Capability, 'to-device' | 'keys'>;
