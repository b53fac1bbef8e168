import { MintwardenError } from '../../domain/errors.ts';
import { lockdownSentence } from '../lockdown.ts';
import type { AccessControl } from './access-control.ts';
import type { Services } from '../services.ts';

/**
 * Adds the lockdown to an access control: while it lasts no token is accepted, and none is called invalid
 * either, so that clients try again later.
 */
export function withLockdown<T extends AccessControl>(access: T, lockdown: Services['lockdown']): T {
  const refuseHeld = (): void => {
    const why = lockdown();
    if (why !== null) throw new MintwardenError('state', lockdownSentence(why));
  };
  const checks: AccessControl = {
    ...access,
    verifyToken: (token, connection) =>
      lockdown() === null ? access.verifyToken(token, connection) : { kind: 'locked-down', grantId: null },
    upstreamToken: (id) => {
      refuseHeld();
      return access.upstreamToken(id);
    },
    replaceUpstreamToken: async (id, leaseId) =>
      lockdown() === null ? access.replaceUpstreamToken(id, leaseId) : 'unavailable',
    refreshRooms: async (id, spokenOf) => {
      refuseHeld();
      return access.refreshRooms(id, spokenOf);
    },
    countUse: async (id) => {
      refuseHeld();
      return access.countUse(id);
    },
  };
  return { ...access, ...checks };
}
