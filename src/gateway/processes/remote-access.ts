import { MintwardenError } from '../../domain/errors.ts';
import { type Grant, effectiveState } from '../../domain/grant.ts';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import { grantOfToken, hashToken } from '../../domain/token.ts';
import { createTokenProofs } from '../../lifecycle/access/token-proofs.ts';
import type {
  Access,
  AccessControl,
  TokenVerification,
  UpstreamToken,
} from '../../lifecycle/access/access-control.ts';
import type { IpcClient } from './ipc-client.ts';
import type { Update, TokenCheck, GrantSnapshot } from './messages.ts';

/** A snapshot is used for so long without asking again. What is committed meanwhile still counts at once. */
const FRESH_MS = 1_000;
/** From then on it is renewed in the background. */
const RENEW_AFTER_MS = 500;
const MAX_ENTRIES = 10_000;
const MAX_TRIES = 10;

type Entry = {
  grant: Grant;
  rooms: ReadonlySet<RoomId>;
  version: number;
  /** When it arrived, on the monotonic clock; null: it is no longer right. */
  at: number | null;
  /** What its holder is told without asking the bot's process; null: it was good when it arrived. */
  ended: 'inactive' | 'suspended' | null;
  upstream: { readonly lease: UpstreamToken; readonly at: number } | null;
};

/** An access control that asks another process. `applyUpdate` takes in what changed there. */
export type RemoteAccess = AccessControl & { readonly applyUpdate: (news: Update) => void };

/**
 * Access control in a process beside the bot's. Snapshots are kept for a second, and used only while the
 * shared revision says that this process has received every commit: from the moment of a commit no request is
 * judged by what was true before it.
 * @param now epoch milliseconds
 */
export function createRemoteAccess(client: IpcClient, now: () => number): RemoteAccess {
  const entries = new Map<GrantId, Entry>();
  /** Tokens that are not good, by their hash. */
  const rejected = new Map<string, { readonly presented: TokenVerification; readonly at: number }>();
  const proofs = createTokenProofs();
  const inFlight = new Map<string, Promise<unknown>>();
  const listeners = new Set<(grantId: GrantId) => void>();

  const age = (at: number | null): number =>
    at === null ? Number.POSITIVE_INFINITY : performance.now() - at;
  const accessTo = (entry: Entry): Access => ({
    grant: entry.grant,
    // A room that is excluded while a request is open is closed to that request too.
    get rooms() {
      return entry.rooms;
    },
  });

  const singleFlight = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const present = inFlight.get(key);
    if (present !== undefined) return present as Promise<T>;
    const promise = work().finally(() => inFlight.delete(key));
    inFlight.set(key, promise);
    return promise;
  };

  const store = ({ version, grant, rooms }: GrantSnapshot): Entry => {
    const known = entries.get(grant.id);
    const entry: Entry = known ?? { grant, rooms: new Set(), version, at: null, ended: null, upstream: null };
    Object.assign(entry, { grant, version, rooms: new Set(rooms), at: performance.now(), ended: null });
    entries.delete(grant.id);
    bounded(entries).set(grant.id, entry);
    return entry;
  };

  /** What a token is worth as far as it is known here; null: the bot's process must be asked. */
  const cached = (token: string, connection?: object): TokenVerification | null => {
    const read = proofs.read(token, connection);
    if (read === null) return { kind: 'invalid', grantId: null };
    if (!client.isCurrent()) return null;
    const id = read.grantId;
    const entry = entries.get(id);
    if (entry !== undefined && (entry.ended !== null || age(entry.at) < FRESH_MS)) {
      if (!proofs.proves(token, read, entry.grant, connection)) return { kind: 'invalid', grantId: null };
      const worth = entry.ended ?? effectiveState(entry.grant, now());
      if (worth === 'active') return { kind: 'valid', access: accessTo(entry) };
      return { kind: worth === 'suspended' ? worth : 'invalid', grantId: id };
    }
    const known = rejected.get(hashToken(token));
    return known !== undefined && age(known.at) < FRESH_MS ? known.presented : null;
  };

  const fetchToken = (token: string): Promise<unknown> =>
    singleFlight(token, () => {
      const id = grantOfToken(token);
      const have = id === null ? null : (entries.get(id)?.version ?? null);
      return client.call('present', { token, have }, (check) => record(token, check));
    });

  /** Runs the moment the result arrives: an update that comes after it overrides it. */
  const record = (token: string, presented: TokenCheck): void => {
    if (presented.kind === 'valid') store(presented.snapshot);
    else if (presented.kind === 'same') {
      const entry = entries.get(presented.grantId);
      if (entry !== undefined) entry.at = performance.now();
    } else {
      bounded(rejected).set(hashToken(token), { presented, at: performance.now() });
      const entry = presented.grantId === null ? undefined : entries.get(presented.grantId);
      if (entry !== undefined) forget(entry);
    }
  };

  const verify = async (token: string): Promise<TokenVerification> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await client.waitUntilCurrent();
      await fetchToken(token);
      const presented = cached(token);
      if (presented !== null) return presented;
    }
    throw new MintwardenError('state', 'The ledger changes too quickly to be read.', 'Try again.');
  };

  const keep = (id: GrantId, lease: UpstreamToken): UpstreamToken => {
    const entry = entries.get(id);
    if (entry !== undefined && entry.at !== null && entry.ended === null)
      entry.upstream = { lease, at: performance.now() };
    return lease;
  };

  const finishUse = (id: GrantId): Promise<void> => client.call('useOver', { grantId: id }, () => undefined);

  return {
    verifyToken(token, connection) {
      const known = cached(token, connection);
      if (known === null) return verify(token);
      // If nobody answers, the snapshot expires by itself.
      if (known.kind === 'valid' && age(entries.get(known.access.grant.id)?.at ?? null) > RENEW_AFTER_MS)
        fetchToken(token).catch(() => undefined);
      return known;
    },
    upstreamToken(id) {
      const entry = entries.get(id);
      const kept = entry?.upstream;
      if (
        entry &&
        kept &&
        age(kept.at) < FRESH_MS &&
        entry.ended === null &&
        client.isCurrent() &&
        effectiveState(entry.grant, now()) === 'active'
      )
        return kept.lease;
      return singleFlight(`upstream ${id}`, () =>
        client.call('upstream', { grantId: id }, (lease) => keep(id, lease)),
      );
    },
    replaceUpstreamToken(id, leaseId) {
      const entry = entries.get(id);
      if (entry?.upstream?.lease.leaseId === leaseId) entry.upstream = null;
      return client.call('upstreamRefused', { grantId: id, leaseId }, (other) =>
        typeof other === 'string' ? other : keep(id, other),
      );
    },
    refreshRooms(id, spokenOf) {
      const refresh = () =>
        client.call('refresh', { grantId: id, spokenOf: spokenOf ?? null }, (snapshot) =>
          snapshot === null ? null : accessTo(store(snapshot)),
        );
      // One that is under way may have looked already.
      return spokenOf === 'again'
        ? refresh()
        : singleFlight(`refresh ${id} ${JSON.stringify(spokenOf ?? null)}`, refresh);
    },
    async countUse(id) {
      let isGivenUp = false;
      const counting = client.call('use', { grantId: id }, (counted) => {
        if (counted && isGivenUp) finishUse(id).catch(() => undefined);
        return counted;
      });
      try {
        return await counting;
      } catch (error) {
        isGivenUp = true;
        throw error;
      }
    },
    finishUse,
    usesLeft: (id) => client.call('usesLeft', { grantId: id }, (left) => left),
    withdraw: (id) => client.call('withdraw', { grantId: id }, () => undefined),
    onGrantInactive(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    applyUpdate({ changed, leases, over, outside }) {
      if (changed.length > 0) rejected.clear();
      for (const id of changed) {
        const entry = entries.get(id);
        if (entry === undefined) continue;
        forget(entry);
        entry.ended = null;
      }
      for (const id of leases) {
        const entry = entries.get(id);
        if (entry !== undefined) entry.upstream = null;
      }
      if (outside.length > 0)
        for (const entry of entries.values())
          entry.rooms = new Set([...entry.rooms].filter((room) => !outside.includes(room)));
      // Holders are told without asking: the bot's process may be busy with the end of this grant.
      for (const { grantId, as } of over) {
        const entry = entries.get(grantId);
        if (entry === undefined) continue;
        forget(entry);
        entry.ended = as ?? (effectiveState(entry.grant, now()) === 'inactive' ? 'inactive' : entry.ended);
      }
      for (const { grantId } of over) for (const listener of listeners) listener(grantId);
    },
  };
}

function forget(entry: Entry): void {
  entry.at = null;
  entry.upstream = null;
}

/** Makes room for one more entry. */
function bounded<K, V>(map: Map<K, V>): Map<K, V> {
  if (map.size < MAX_ENTRIES) return map;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
  return map;
}
