import { timingSafeEqual } from 'node:crypto';
import { MintwardenError } from '../../domain/errors.ts';
import { type Grant, standing } from '../../domain/grant.ts';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import { grantOfToken, hashToken } from '../../domain/token.ts';
import type { Access, AccessControl, Presented, Upstream } from '../../lifecycle/access/access-control.ts';
import type { LineToBot } from './ipc-client';
import type { News, PresentedAs, Told } from './messages.ts';

/**
 * So long what was told counts without asking again. What is committed meanwhile counts at once all the same.
 */
const GOOD_FOR_MS = 1_000;
/** From then on it is asked again in the background. */
const RENEW_AFTER_MS = 500;
const MAX_KNOWN = 10_000;
const MAX_TRIES = 10;

type Entry = {
  grant: Grant;
  rooms: ReadonlySet<RoomId>;
  version: number;
  /** When it was told, on the clock that does not jump; null: it does not count any more. */
  at: number | null;
  /** What its holder is told without asking anybody; null: it was good when it was told. */
  ended: 'over' | 'suspended' | null;
  upstream: { readonly lease: Upstream; readonly at: number } | null;
};

/** An access control whose mind is in another process. `hear` takes in what changed there. */
export type RemoteAccess = AccessControl & { readonly hear: (news: News) => void };

/**
 * What the gateway asks, in a process beside the bot's. What was told is kept for a second, and used only
 * while the board says that nothing has been committed which this process has not heard of: from the moment
 * of a commit no request is judged by what was true before it.
 * @param now epoch milliseconds
 */
export function remoteAccess(line: LineToBot, now: () => number): RemoteAccess {
  const entries = new Map<GrantId, Entry>();
  /** Tokens that are not good, by their hash. */
  const strangers = new Map<string, { readonly presented: Presented; readonly at: number }>();
  const flying = new Map<string, Promise<unknown>>();
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

  const once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const present = flying.get(key);
    if (present !== undefined) return present as Promise<T>;
    const mine = work().finally(() => flying.delete(key));
    flying.set(key, mine);
    return mine;
  };

  const adopt = ({ version, grant, rooms }: Told): Entry => {
    const known = entries.get(grant.id);
    const entry: Entry = known ?? { grant, rooms: new Set(), version, at: null, ended: null, upstream: null };
    Object.assign(entry, { grant, version, rooms: new Set(rooms), at: performance.now(), ended: null });
    entries.delete(grant.id);
    bounded(entries).set(grant.id, entry);
    return entry;
  };

  /** What a token is worth as far as that is known here and now; null: it has to be asked. */
  const recall = (token: string): Presented | null => {
    const id = grantOfToken(token);
    if (id === null) return { kind: 'over', grantId: null };
    if (!line.isAbreast()) return null;
    const hash = hashToken(token);
    const entry = entries.get(id);
    if (entry !== undefined && (entry.ended !== null || age(entry.at) < GOOD_FOR_MS)) {
      if (!sameHash(entry.grant.tokenHash, hash)) return { kind: 'over', grantId: null };
      const worth = entry.ended ?? standing(entry.grant, now());
      return worth === 'good' ? { kind: 'good', access: accessTo(entry) } : { kind: worth, grantId: id };
    }
    const stranger = strangers.get(hash);
    return stranger !== undefined && age(stranger.at) < GOOD_FOR_MS ? stranger.presented : null;
  };

  const learn = (token: string): Promise<unknown> =>
    once(token, () => {
      const id = grantOfToken(token);
      const have = id === null ? null : (entries.get(id)?.version ?? null);
      return line.ask('present', { token, have }, (presented) => note(token, presented));
    });

  /** Runs the moment the answer is there: news that come after it count against it. */
  const note = (token: string, presented: PresentedAs): void => {
    if (presented.kind === 'good') adopt(presented.told);
    else if (presented.kind === 'same') {
      const entry = entries.get(presented.grantId);
      if (entry !== undefined) entry.at = performance.now();
    } else {
      bounded(strangers).set(hashToken(token), { presented, at: performance.now() });
      const entry = presented.grantId === null ? undefined : entries.get(presented.grantId);
      if (entry !== undefined) forget(entry);
    }
  };

  const askFor = async (token: string): Promise<Presented> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await line.abreast();
      await learn(token);
      const presented = recall(token);
      if (presented !== null) return presented;
    }
    throw new MintwardenError('state', 'The ledger changes too quickly to be read.', 'Try again.');
  };

  const keep = (id: GrantId, lease: Upstream): Upstream => {
    const entry = entries.get(id);
    if (entry !== undefined && entry.at !== null && entry.ended === null)
      entry.upstream = { lease, at: performance.now() };
    return lease;
  };

  return {
    present(token) {
      const known = recall(token);
      if (known === null) return askFor(token);
      // Where nobody answers, what is known runs out by itself.
      if (known.kind === 'good' && age(entries.get(known.access.grant.id)?.at ?? null) > RENEW_AFTER_MS)
        learn(token).catch(() => undefined);
      return known;
    },
    upstream(id) {
      const entry = entries.get(id);
      const kept = entry?.upstream;
      if (
        entry &&
        kept &&
        age(kept.at) < GOOD_FOR_MS &&
        entry.ended === null &&
        line.isAbreast() &&
        standing(entry.grant, now()) === 'good'
      )
        return kept.lease;
      return once(`upstream ${id}`, () => line.ask('upstream', { grantId: id }, (lease) => keep(id, lease)));
    },
    upstreamRefused(id, leaseId) {
      const entry = entries.get(id);
      if (entry?.upstream?.lease.leaseId === leaseId) entry.upstream = null;
      return line.ask('upstreamRefused', { grantId: id, leaseId }, (other) =>
        typeof other === 'string' ? other : keep(id, other),
      );
    },
    refresh: (id, spokenOf) =>
      once(`refresh ${id} ${JSON.stringify(spokenOf ?? null)}`, () =>
        line.ask('refresh', { grantId: id, spokenOf: spokenOf ?? null }, (told) =>
          told === null ? null : accessTo(adopt(told)),
        ),
      ),
    use: (id) => line.ask('use', { grantId: id }, (counted) => counted),
    useOver: (id) => line.ask('useOver', { grantId: id }, () => undefined),
    usesLeft: (id) => line.ask('usesLeft', { grantId: id }, (left) => left),
    withdraw: (id) => line.ask('withdraw', { grantId: id }, () => undefined),
    onOver(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hear({ changed, leases, over, outside }) {
      if (changed.length > 0) strangers.clear();
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
      // The bot's process may be busy for a while with what an end brings about: holders are told without it.
      for (const { grantId, as } of over) {
        const entry = entries.get(grantId);
        if (entry === undefined) continue;
        forget(entry);
        entry.ended = as ?? (standing(entry.grant, now()) === 'over' ? 'over' : entry.ended);
      }
      for (const { grantId } of over) for (const listener of listeners) listener(grantId);
    },
  };
}

function forget(entry: Entry): void {
  entry.at = null;
  entry.upstream = null;
}

function sameHash(stored: string, presented: string): boolean {
  const a = Buffer.from(stored, 'hex');
  const b = Buffer.from(presented, 'hex');
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
}

/** The same map, with room for one more. */
function bounded<K, V>(map: Map<K, V>): Map<K, V> {
  if (map.size < MAX_KNOWN) return map;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
  return map;
}
