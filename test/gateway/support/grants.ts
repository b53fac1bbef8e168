import type { Grant } from '../../../src/domain/grant.ts';
import type { RoomId, UserId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { Access } from '../../../src/lifecycle/access/access-control.ts';
import { buildGrant } from '../../support/grants.ts';

export const ALICE = '@alice:hs.test' as UserId;
export const OPS = '!ops:hs.test' as RoomId;
const ADMIN = '@admin:hs.test' as UserId;
/** A room of version 12: no server part. */
export const DEV = '!_dDn1kut5YSer-wBSabcdefghijklmnopqrstuvwxyz12' as RoomId;
export const SECRET = '!secret:hs.test' as RoomId;

/** A live grant of alice's for these rooms. */
export function grantOf(rooms: Scope['rooms'], more: Partial<Grant> = {}): Grant {
  return buildGrant({
    subject: ALICE,
    minter: ADMIN,
    recipient: ADMIN,
    scope: { v: 1, rooms, can: ['read'] },
    delivery: 'sent',
    ...more,
  });
}

/** What such a grant opens. */
export function accessOf(rooms: readonly RoomId[], more: Partial<Grant> = {}): Access {
  return { grant: grantOf(rooms, more), rooms: new Set(rooms) };
}
