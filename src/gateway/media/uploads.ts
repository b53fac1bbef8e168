import { LRUCache } from 'lru-cache';
import type { GrantId } from '../../domain/ids.ts';
import type { MediaAddress } from '../../domain/media-address.ts';

/** What grants uploaded themselves, or made an address for: bounded, and gone with the process. */
export interface Uploads {
  /** An address was made for the grant: it may upload to it, once. */
  created(grantId: GrantId, address: MediaAddress): void;
  mayFill(grantId: GrantId, address: MediaAddress): boolean;
  /** The grant uploaded it, so it may fetch it. */
  uploaded(grantId: GrantId, address: MediaAddress): void;
  mayFetch(grantId: GrantId, address: MediaAddress): boolean;
  forget(grantId: GrantId): void;
}

const MAX_PER_GRANT = 500;
const MAX_GRANTS = 2_000;

/** Empty. */
export function createUploads(): Uploads {
  const grants = new LRUCache<GrantId, LRUCache<MediaAddress, 'created' | 'uploaded'>>({ max: MAX_GRANTS });
  const set = (grantId: GrantId, address: MediaAddress, as: 'created' | 'uploaded'): void => {
    const mine = grants.get(grantId) ?? new LRUCache({ max: MAX_PER_GRANT });
    mine.set(address, as);
    grants.set(grantId, mine);
  };
  return {
    created: (grantId, address) => set(grantId, address, 'created'),
    mayFill: (grantId, address) => grants.get(grantId)?.get(address) === 'created',
    uploaded: (grantId, address) => set(grantId, address, 'uploaded'),
    mayFetch: (grantId, address) => grants.get(grantId)?.get(address) === 'uploaded',
    forget: (grantId) => void grants.delete(grantId),
  };
}
