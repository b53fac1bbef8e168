import { MintwardenError } from '../../domain/errors.ts';
import { lockdownSentence } from '../lockdown.ts';
import type { AccessControl } from './access-control.ts';
import type { Services } from '../services.ts';

/**
 * The same access control, but while anything is held no token is honoured, and none is called dead either:
 * whoever presents one may try again later.
 */
export function withLockdown<T extends AccessControl>(access: T, held: NonNullable<Services['lockdown']>): T {
  const refuseHeld = (): void => {
    const why = held();
    if (why !== null) throw new MintwardenError('state', lockdownSentence(why));
  };
  const checks: AccessControl = {
    ...access,
    verifyToken: (token) =>
      held() === null ? access.verifyToken(token) : { kind: 'locked-down', grantId: null },
    upstreamToken: (id) => {
      refuseHeld();
      return access.upstreamToken(id);
    },
    replaceUpstreamToken: async (id, leaseId) =>
      held() === null ? access.replaceUpstreamToken(id, leaseId) : 'unavailable',
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
