import type { GrantId, LeaseId, RoomId } from '../../../src/domain/ids.ts';
import { effectiveState } from '../../../src/domain/grant.ts';
import type {
  Access,
  AccessControl,
  TokenVerification,
  UpstreamToken,
} from '../../../src/lifecycle/access/access-control.ts';

/** An AccessControl in memory: the port's own promises, nothing else. */
export type GrantDesk = AccessControl & {
  add(token: string, access: Access): void;
  /** Ends or suspends a grant, and tells the listeners. */
  end(grantId: GrantId, how?: 'invalid' | 'suspended'): void;
  /** The rooms the subject is in from now on, for a scope of all rooms. */
  join(grantId: GrantId, rooms: readonly RoomId[]): void;
  readonly withdrawn: GrantId[];
  readonly refused: LeaseId[];
  refreshes: number;
  /** How many uses were counted. */
  readonly used: Map<GrantId, number>;
  readonly usesOver: GrantId[];
  /** The answer to a lease that the homeserver does not know. */
  renewal: UpstreamToken | 'gone' | 'unavailable';
};

/** @param upstreamToken the homeserver's own token behind every grant */
export function grantDesk(upstreamToken: string): GrantDesk {
  const grants = new Map<string, Access>();
  const ended = new Map<GrantId, 'invalid' | 'suspended'>();
  const listeners = new Set<(grantId: GrantId) => void>();
  const tokenOf = (grantId: GrantId) =>
    [...grants].find(([, access]) => access.grant.id === grantId)?.[0] ?? '';
  const joined = new Map<GrantId, readonly RoomId[]>();
  const desk: GrantDesk = {
    withdrawn: [],
    refused: [],
    refreshes: 0,
    used: new Map(),
    usesOver: [],
    renewal: 'unavailable',
    add: (token, access) => void grants.set(token, access),
    end(grantId, how = 'invalid') {
      ended.set(grantId, how);
      for (const listener of listeners) listener(grantId);
    },
    join: (grantId, rooms) => void joined.set(grantId, rooms),
    verifyToken(token): TokenVerification {
      const access = grants.get(token);
      if (access === undefined) return { kind: 'invalid', grantId: null };
      const grantId = access.grant.id;
      const how = ended.get(grantId) ?? effectiveState(access.grant, Date.now());
      if (how === 'active') return { kind: 'valid', access };
      return { kind: how === 'suspended' ? how : 'invalid', grantId };
    },
    upstreamToken: () => ({ leaseId: 'lease-1' as LeaseId, token: upstreamToken }),
    replaceUpstreamToken(_, leaseId) {
      desk.refused.push(leaseId);
      return Promise.resolve(desk.renewal);
    },
    refreshRooms(grantId) {
      desk.refreshes++;
      const token = tokenOf(grantId);
      const access = grants.get(token);
      if (access === undefined || ended.has(grantId)) return Promise.resolve(null);
      const refreshed = { grant: access.grant, rooms: new Set(joined.get(grantId) ?? access.rooms) };
      grants.set(token, refreshed);
      return Promise.resolve(refreshed);
    },
    countUse(grantId) {
      const most = [...grants.values()].find(({ grant }) => grant.id === grantId)?.grant.scope.uses ?? 0;
      const used = desk.used.get(grantId) ?? 0;
      if (used < most) desk.used.set(grantId, used + 1);
      return Promise.resolve(used < most);
    },
    usesLeft(grantId) {
      const most = [...grants.values()].find(({ grant }) => grant.id === grantId)?.grant.scope.uses;
      return Promise.resolve(most === undefined ? null : most - (desk.used.get(grantId) ?? 0));
    },
    finishUse(grantId) {
      desk.usesOver.push(grantId);
      return Promise.resolve();
    },
    withdraw(grantId) {
      desk.withdrawn.push(grantId);
      desk.end(grantId);
      return Promise.resolve();
    },
    onGrantInactive(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return desk;
}
