import { LRUCache } from 'lru-cache';
import type { GrantId } from '../../domain/ids.ts';
import { allows } from '../../domain/scope.ts';
import { serverOf } from '../../domain/ids.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, FORBIDDEN, rateLimited } from '../http/response.ts';
import type { Ask } from '../upstream/ask.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { tokenBucket } from '../limits/rate-limiter.ts';
import { type MediaAddress, serverOfMedia } from '../../domain/media-address.ts';
import { type SearchOutcome, searchRooms } from './search-rooms.ts';
import { grantsAccess, type MediaReference } from '../../domain/media-reference.ts';
import { createUploads, type Uploads } from './uploads.ts';
import { knownReferences } from './known-references.ts';

/** Decides who may fetch which file. */
export interface MediaGate {
  /** Takes note of the files in what a holder is about to be shown. */
  remember(access: Access, references: readonly MediaReference[]): void;
  /**
   * Null: the grant may fetch it; otherwise the refusal. Where it is not known whether an event
   * in scope shows it, that is looked up.
   * @param ask bounded in bytes
   */
  authorizeFetch(
    access: Access,
    address: MediaAddress,
    ask: Ask,
    signal: AbortSignal,
  ): Promise<GatewayResponse | null>;
  readonly uploads: Uploads;
  /** The grant is over. */
  forget(grantId: GrantId): void;
}

/** How it is bounded. Times in milliseconds. */
type Options = {
  readonly now: () => number;
  readonly timeoutMs: number;
  /**
   * Takes one from the grant's rate for what makes the homeserver fetch from elsewhere: 0, or how long to
   * wait.
   */
  readonly takeRate: (grantId: GrantId) => number | Promise<number>;
  /** Where other processes have to know of it too. */
  readonly uploads?: Uploads | undefined;
};

/** Rooms are searched for a grant five times in a row, then once in five seconds. */
const SEARCHES_PER_SECOND = 0.2;
const SEARCHES_AT_ONCE = 5;
const KEPT_REFUSAL_MS = 30_000;
const MAX_REFUSALS = 20_000;

/** A gate that knows nothing yet. */
export function createMediaGate({ now, timeoutMs, takeRate, uploads = createUploads() }: Options): MediaGate {
  const known = knownReferences();
  const searching = new Map<GrantId, Promise<unknown>>();
  const searches = tokenBucket(SEARCHES_PER_SECOND, SEARCHES_AT_ONCE, now);
  const refused = new LRUCache<string, number>({ max: MAX_REFUSALS });

  return {
    uploads,
    remember(access, references) {
      const { grant } = access;
      for (const reference of references)
        if (grantsAccess(reference, grant)) known.remember(grant.id, reference.address, reference.roomId);
    },
    async authorizeFetch(access, address, ask, signal) {
      const { grant } = access;
      if (uploads.mayFetch(grant.id, address) || known.has(grant.id, address, access.rooms)) return null;
      if (grant.scope.can.includes('media-any')) {
        // Of another server, the homeserver fetches and keeps it, however large (CVE-2024-37302,
        // CVE-2024-36403).
        const waitMs = serverOfMedia(address) === serverOf(grant.subject) ? 0 : await takeRate(grant.id);
        return waitMs > 0 ? rateLimited(waitMs) : null;
      }
      return allows(grant.scope, 'media') ? search(access, address, ask, signal) : FORBIDDEN;
    },
    forget(grantId) {
      known.forget(grantId);
      uploads.forget(grantId);
    },
  };

  /** One search of a grant at a time: what one finds, the next ones need not. */
  async function search(
    access: Access,
    address: MediaAddress,
    ask: Ask,
    signal: AbortSignal,
  ): Promise<GatewayResponse | null> {
    const grantId = access.grant.id;
    for (;;) {
      if (known.has(grantId, address, access.rooms)) return null;
      if ((refused.get(`${grantId} ${address}`) ?? 0) > now()) return FORBIDDEN;
      const running = searching.get(grantId);
      if (running === undefined) break;
      await unlessAborted(running, signal);
    }
    const looking = searchOnce(access, address, ask);
    const over = looking.then(nothing, nothing).then(() => void searching.delete(grantId));
    searching.set(grantId, over);
    return looking;
  }

  async function searchOnce(
    access: Access,
    address: MediaAddress,
    ask: Ask,
  ): Promise<GatewayResponse | null> {
    const grantId = access.grant.id;
    const waitMs = searches.take(grantId);
    if (waitMs > 0) return rateLimited(waitMs);
    const looked = await searchRooms(access, ask, timeoutMs, (reference) => {
      known.remember(grantId, reference.address, reference.roomId);
      return reference.address === address;
    });
    return outcome(looked, grantId, address);
  }

  function outcome(looked: SearchOutcome, grantId: GrantId, address: MediaAddress): GatewayResponse | null {
    if (looked.kind === 'found') return null;
    if (looked.kind === 'trouble') return looked.answer;
    refused.set(`${grantId} ${address}`, now() + KEPT_REFUSAL_MS);
    return FORBIDDEN;
  }
}

function nothing(): void {
  // What waits searches for itself.
}
