import type { LeaseId, MessageId } from '../../domain/ids.ts';
import type { Random } from '../../ports/clock.ts';

/**
 * Makes ids of 128 random bits: opaque, safe in a URL. Handed to decisions, which draw nothing themselves.
 */
export type NewIds = { readonly lease: () => LeaseId; readonly message: () => MessageId };

/** Ids from a source of randomness. */
export function newIds(random: Random): NewIds {
  const id = () => Buffer.from(random.bytes(16)).toString('hex');
  return { lease: () => id() as LeaseId, message: () => id() as MessageId };
}
