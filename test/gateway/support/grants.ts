import type { Grant } from '../../../src/domain/grant.ts';
import type { GrantId, RoomId, UserId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { Access } from '../../../src/lifecycle/access/access-control.ts';

export const ALICE = '@alice:hs.test' as UserId;
export const OPS = '!ops:hs.test' as RoomId;
/** A room of version 12: no server part. */
export const DEV = '!_dDn1kut5YSer-wBSabcdefghijklmnopqrstuvwxyz12' as RoomId;
export const SECRET = '!secret:hs.test' as RoomId;

/** A live grant of alice's for these rooms. */
export function grantOf(rooms: Scope['rooms'], more: Partial<Grant> = {}): Grant {
  return {
    id: '7F3K9Q' as GrantId,
    revision: 2,
    subject: ALICE,
    minter: '@admin:hs.test' as UserId,
    recipient: '@admin:hs.test' as UserId,
    scope: { v: 1, rooms, can: ['read'] },
    rooms: [],
    reason: null,
    ttlMs: 3_600_000,
    createdAt: Date.now(),
    expiresAt: Date.now() + 3_600_000,
    state: 'live',
    suspended: false,
    endedAt: null,
    endedBy: null,
    endCause: null,
    failure: null,
    tokenHash: '',
    sealedToken: null,
    delivery: 'sent',
    command: null,
    nextActionAt: null,
    ...more,
  };
}

/** What such a grant opens. */
export function accessOf(rooms: readonly RoomId[], more: Partial<Grant> = {}): Access {
  return { grant: grantOf(rooms, more), rooms: new Set(rooms) };
}
