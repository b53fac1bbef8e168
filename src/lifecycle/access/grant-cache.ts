import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Change } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import { openRooms } from '../../domain/scope.ts';
import { lookUpRooms, type RoomLookup, needsRoomLookup, creatorLookup } from './scope-rooms.ts';
import type { CachedUpstreamToken } from './cached-upstream-token.ts';
import { excludeRoom } from '../exclude-room.ts';
import { recordSubject } from '../subjects/watch-subjects.ts';
import { singleFlight } from '../single-flight.ts';
import type { Services } from '../services.ts';

const MAX_GRANTS = 10_000;
const MAX_UNKNOWN = 10_000;
const READS = 10;
const STALE_MS = 30_000;
const AT_MOST_EVERY_MS = 1_000;
const UPGRADE_STALE_MS = 5_000;

/** What is kept in memory of a grant whose token was presented. */
export type CachedGrant = {
  grant: Grant;
  /**
   * What was looked up of its rooms; null where the scope names all it will ever have, or before the first
   * look.
   */
  looked: RoomLookup | null;
  lookedAt: number;
  /** How many looks were begun, and which of them `looked` is from. */
  looks: number;
  latest: number;
  /** When they were last asked for, whatever came of it. */
  askedAt: number | null;
  rooms: ReadonlySet<RoomId>;
  upstream: CachedUpstreamToken | null;
};

/**
 * The cache of grants whose tokens were presented. Each commit updates it before the commit resolves, and a
 * read that a commit overtook is repeated, so it is never behind the ledger.
 */
export function grantCache(services: Services) {
  const entries = new LRUCache<GrantId, CachedGrant>({ max: MAX_GRANTS });
  const unknown = new LRUCache<GrantId, true>({ max: MAX_UNKNOWN });
  const loading = singleFlight<CachedGrant | null>();
  const refreshing = singleFlight<CachedGrant | null>();
  const makers = creatorLookup(services);
  let outside: Set<RoomId> | null = null;
  const newlyExcluded: RoomId[] = [];
  let commits = 0;

  const openNow = ({ grant, looked }: Pick<CachedGrant, 'grant' | 'looked'>): ReadonlySet<RoomId> => {
    if (outside === null)
      throw new MintwardenError('state', 'The rooms outside every scope are not known yet.');
    const { scope } = grant;
    if (looked === null) return openRooms(scope, [], outside);
    const rooms = scope.rooms === 'all' ? 'all' : [...scope.rooms, ...looked.followed];
    return openRooms({ ...scope, rooms }, [...looked.joined, ...looked.invited], outside, looked.creators);
  };

  const applyCommit = (change: Change): void => {
    commits++;
    for (const grant of change.grants ?? []) {
      unknown.delete(grant.id);
      const entry = entries.peek(grant.id);
      if (entry === undefined || grant.revision <= entry.grant.revision) continue;
      entry.grant = grant;
      if (grant.state !== 'live') entry.upstream = null;
    }
    for (const lease of change.leases ?? []) {
      const entry = entries.peek(lease.grantId);
      if (entry?.upstream?.leaseId === lease.id && lease.state !== 'alive') entry.upstream = null;
    }
    if ((change.excluded ?? []).length === 0) return;
    for (const room of change.excluded ?? []) {
      newlyExcluded.push(room.roomId);
      outside?.add(room.roomId);
    }
    if (outside !== null) for (const entry of entries.values()) entry.rooms = openNow(entry);
  };

  const loadExcluded = async (): Promise<void> => {
    if (outside !== null) return;
    const stored = await services.ledger.excluded();
    outside = new Set([
      services.controlRoomId as RoomId,
      ...stored.map((room) => room.roomId),
      ...newlyExcluded,
    ]);
  };

  const joinedOf = async ({ grant, looked }: CachedGrant): Promise<readonly RoomId[]> => {
    const { subject } = grant;
    const facts = await services.directory.subject(subject);
    await recordSubject(services, grant, facts);
    if (facts === null) return [];
    // A client that joins by itself is in the bot's DM before the DM is on record.
    const dm = facts.joinedRooms.every((room) => looked?.joined.has(room) === true)
      ? null
      : await services.chat.dm(subject);
    if (dm !== null) await excludeRoom(services, { roomId: dm.roomId, why: 'dm', userId: subject });
    return facts.joinedRooms.filter((room) => room !== facts.noticesRoom && room !== dm?.roomId);
  };

  /** Reads again if a commit came in between, so that no stale row is cached. */
  const loadOnce = async (id: GrantId): Promise<CachedGrant | null> => {
    for (let attempt = 0; attempt < READS; attempt++) {
      const before = commits;
      const grant = await services.ledger.grant(id);
      if (commits !== before) continue;
      if (grant === null) {
        unknown.set(id, true);
        return null;
      }
      const rooms = openNow({ grant, looked: null });
      const entry: CachedGrant = {
        grant,
        looked: null,
        lookedAt: services.clock.now(),
        looks: 0,
        latest: 0,
        askedAt: null,
        rooms,
        upstream: null,
      };
      entries.set(id, entry);
      return entry;
    }
    throw new MintwardenError('state', 'The ledger changes too quickly to be read.', 'Try again.');
  };

  const load = (id: GrantId): Promise<CachedGrant | null> =>
    loading(id, async () => {
      await loadExcluded();
      return loadOnce(id);
    });

  /**
   * Of a room that was looked at, or is outside every scope, another look says nothing new; of an invite it
   * may.
   */
  const isSettled = ({ grant, looked, lookedAt, rooms }: CachedGrant, room: RoomId): boolean => {
    if (looked === null) return false;
    if (rooms.has(room) || outside?.has(room) === true) return true;
    // That it replaces another may be said after it was joined.
    const isFinal =
      grant.scope.followUpgrades !== true || Math.abs(services.clock.now() - lookedAt) < UPGRADE_STALE_MS;
    return looked.joined.has(room) && isFinal;
  };

  /** How long until the rooms may be looked up again. */
  const waitMs = ({ askedAt }: CachedGrant): number => {
    const since = services.clock.now() - (askedAt ?? Number.NEGATIVE_INFINITY);
    return since < 0 ? 0 : Math.max(0, AT_MOST_EVERY_MS - since);
  };

  const look = async (entry: CachedGrant): Promise<CachedGrant> => {
    const number = ++entry.looks;
    entry.askedAt = services.clock.now();
    entry.looked = await lookUpRooms(services, entry.grant, await joinedOf(entry), makers);
    entry.lookedAt = services.clock.now();
    entry.latest = number;
    entry.rooms = openNow(entry);
    return entry;
  };

  const refresh = (id: GrantId, mayWait = false): Promise<CachedGrant | null> =>
    refreshing(id, async () => {
      const entry = entries.peek(id) ?? (await load(id));
      if (entry === null || !needsRoomLookup(entry.grant.scope) || entry.grant.state !== 'live') return entry;
      const delayMs = waitMs(entry);
      if (delayMs === 0) return look(entry);
      if (mayWait) {
        await sleep(delayMs);
        return look(entry);
      }
      if (entry.looked !== null) return entry;
      throw new MintwardenError(
        'homeserver-unreachable',
        'The rooms could not be looked up a moment ago.',
        'Try again in a second.',
      );
    });

  /** An incremental response mentions a new room once, so it waits for a look-up that started after it. */
  const refreshFor = async (
    id: GrantId,
    spokenOf: readonly RoomId[] | 'again',
  ): Promise<CachedGrant | null> => {
    const known = entries.peek(id);
    const before = known?.looks ?? 0;
    if (known !== undefined && spokenOf !== 'again' && spokenOf.every((room) => isSettled(known, room)))
      return known;
    const first = await refresh(id, true);
    return first === null || first.latest > before ? first : refresh(id, true);
  };

  return {
    /** The entry, where it is known already. Null: it is known that there is no such grant. */
    known: (id: GrantId): CachedGrant | null | undefined =>
      entries.get(id) ?? (unknown.get(id) === true ? null : undefined),
    /** The entry by the ledger's row alone, without a look-up: the caller has proven nothing yet. */
    load,
    /** Looks up again which rooms the subject is in, at most once a second. */
    refresh: (id: GrantId, spokenOf?: readonly RoomId[] | 'again'): Promise<CachedGrant | null> =>
      spokenOf === undefined ? refresh(id) : refreshFor(id, spokenOf),
    /** Whether its rooms have to be looked up before it opens anything. */
    lacksRooms: (entry: CachedGrant): boolean =>
      needsRoomLookup(entry.grant.scope) &&
      entry.looked === null &&
      effectiveState(entry.grant, services.clock.now()) === 'active',
    /**
     * Whether the rooms of an entry were looked up so long ago that they should be again, in the background.
     */
    isStale: (entry: CachedGrant): boolean =>
      needsRoomLookup(entry.grant.scope) && Math.abs(services.clock.now() - entry.lookedAt) > STALE_MS,
    /** Applies a commit. */
    applyCommit,
  };
}

/** See `accessEntries`. */
export type GrantCache = ReturnType<typeof grantCache>;
