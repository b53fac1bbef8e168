import { MintwardenError } from '../../domain/errors.ts';
import { heldSentence } from '../anchors/lockdown.ts';
import type { AccessControl } from './access-control.ts';
import type { World } from '../services.ts';

/**
 * The same access control, but while anything is held no token is honoured, and none is called dead either:
 * whoever presents one may try again later.
 */
export function heldAccess<T extends AccessControl>(access: T, held: NonNullable<World['held']>): T {
  const refuseHeld = (): void => {
    const why = held();
    if (why !== null) throw new MintwardenError('state', heldSentence(why));
  };
  const checks: AccessControl = {
    ...access,
    present: (token) => (held() === null ? access.present(token) : { kind: 'held', grantId: null }),
    upstream: (id) => {
      refuseHeld();
      return access.upstream(id);
    },
    upstreamRefused: async (id, leaseId) =>
      held() === null ? access.upstreamRefused(id, leaseId) : 'unavailable',
    refresh: async (id, spokenOf) => {
      refuseHeld();
      return access.refresh(id, spokenOf);
    },
    use: async (id) => {
      refuseHeld();
      return access.use(id);
    },
  };
  return { ...access, ...checks };
}
