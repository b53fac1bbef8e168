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
  const grants = new Map<GrantId, Map<MediaAddress, 'created' | 'uploaded'>>();
  const set = (grantId: GrantId, address: MediaAddress, as: 'created' | 'uploaded'): void => {
    const mine = grants.get(grantId) ?? new Map<MediaAddress, 'created' | 'uploaded'>();
    mine.delete(address);
    mine.set(address, as);
    const [oldest] = mine.keys();
    if (mine.size > MAX_PER_GRANT && oldest !== undefined) mine.delete(oldest);
    grants.delete(grantId);
    grants.set(grantId, mine);
    const [other] = grants.keys();
    if (grants.size > MAX_GRANTS && other !== undefined) grants.delete(other);
  };
  return {
    created: (grantId, address) => set(grantId, address, 'created'),
    mayFill: (grantId, address) => grants.get(grantId)?.get(address) === 'created',
    uploaded: (grantId, address) => set(grantId, address, 'uploaded'),
    mayFetch: (grantId, address) => grants.get(grantId)?.get(address) === 'uploaded',
    forget: (grantId) => void grants.delete(grantId),
  };
}
