import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../domain/errors.ts';
import type { RoomId } from '../domain/ids.ts';
import type { Log } from '../ports/log.ts';
import type { EngineClient } from './engine-client.ts';
import { eventsAt, type RoomEvent } from './events.ts';
import { arrayAt, objectAt, path, stringAt, type HomeserverClient, type JsonObject } from './homeserver.ts';
import type { Invitations } from './invitations.ts';
import {
  HomeserverRefusal,
  isForbidden,
  isNotFound,
  isSessionEnded,
  invalidResponse,
} from './homeserver-errors.ts';
import type { Receiver } from './receiver.ts';
import type { PositionStore } from './options.ts';
import type { ToDeviceGate } from './to-device-gate.ts';
import { GAP_FILTER, roomUpdates, SYNC_FILTER, type RoomUpdate } from './sync-response.ts';

const POLL_MS = 30_000;
/** With a text waiting for its key, the next look is not put off. */
const PENDING_POLL_MS = 1_000;
const RESPONSE_TIMEOUT_MS = 30_000;
const MAX_GAP_PAGES = 20;
/** Short, so that all is as usual a few seconds after the homeserver is back. */
const MAX_BACKOFF_MS = 2_500;

/** The sync loop; see `startSyncLoop`. */
export type SyncLoop = {
  /** Resolves once the first answer was dealt with. */
  readonly ready: Promise<void>;
  syncedAt(): number;
  /** Ends the poll under way and waits for what is being dealt with. */
  stop(): Promise<void>;
};

/**
 * Syncs until stopped. The position is saved only after a whole response was processed; a failure continues
 * from the last saved position, as a restart does, so that there is only one way to recover.
 */
export function startSyncLoop(options: {
  readonly homeserver: HomeserverClient;
  readonly engine: EngineClient;
  readonly receiver: Receiver;
  readonly gate: ToDeviceGate;
  readonly invitations: Pick<Invitations, 'note'>;
  readonly position: PositionStore;
  readonly log: Log;
  readonly now: () => number;
  readonly onLoggedOut: ((hasSessionEnded: boolean) => void) | undefined;
  readonly onReconnected: (() => void) | undefined;
}): SyncLoop {
  const { homeserver, engine, receiver, gate, invitations, position, log, now } = options;
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  let syncedAt = 0;
  let saved: string | null = null;
  let failures = 0;
  /** Positions whose answers were dealt with, and which may be kept once nothing older waits. */
  let processed: { readonly round: number; readonly next: string }[] = [];

  async function requestSync(since: string | null): Promise<JsonObject> {
    // After a failure the first answer is wanted at once: it tells that the homeserver is back.
    const timeout =
      syncedAt === 0 || failures > 0 ? 0 : receiver.oldestPendingRound() !== null ? PENDING_POLL_MS : POLL_MS;
    return homeserver.request('GET', path`/sync`, {
      query: { since, timeout, filter: SYNC_FILTER, set_presence: 'offline' },
      timeoutMs: (since === null ? 120_000 : timeout) + RESPONSE_TIMEOUT_MS,
      signal: stopping.signal,
    });
  }

  async function syncOnce(since: string | null): Promise<string> {
    const answer = await requestSync(since).catch((error: unknown) => {
      if (since === null || !(error instanceof HomeserverRefusal) || error.status !== 400) throw error;
      // The position was damaged, or is another homeserver's: a first sync looks back far enough.
      log.warn('the homeserver does not know the position; starting over');
      since = null;
      return requestSync(null);
    });
    const next = stringAt(answer, 'next_batch');
    if (next === null) throw invalidResponse('a sync without a position');
    await processResponse(answer, since);
    processed.push({ round: receiver.round(), next });
    await savePosition();
    return next;
  }

  /** Keeps the newest position behind which no text waits for its key. */
  async function savePosition(): Promise<void> {
    const pendingRound = receiver.oldestPendingRound();
    const last = processed.findLast(({ round }) => pendingRound === null || round < pendingRound);
    if (last === undefined) return;
    processed = processed.filter(({ round }) => round > last.round);
    if (last.next === saved) return;
    await position.save(last.next).then(
      () => (saved = last.next),
      // The position may be lost; to stop syncing would be worse.
      () => log.warn('the position could not be saved'),
    );
  }

  async function processResponse(answer: JsonObject, since: string | null): Promise<void> {
    const toDevice = arrayAt(objectAt(answer, 'to_device'), 'events');
    await engine.processSync(answer, await gate.admit(toDevice));
    await engine.withLock(() => engine.sendOutgoingRequests());
    invitations.note(answer);
    await receiver.retryPending();
    for (const update of roomUpdates(answer)) {
      // Other people who have the bot in a room must not make it page back through theirs.
      if (!(await receiver.isWatched(update.roomId))) continue;
      for (const event of await eventsOf(update, since)) await receiver.receive(update.roomId, event);
    }
  }

  async function eventsOf(update: RoomUpdate, since: string | null): Promise<readonly RoomEvent[]> {
    if (since === null) return update.timeline;
    const missed =
      update.gapFrom === null
        ? []
        : await fetchGap(homeserver, update.roomId, update.gapFrom, since).catch(emptyIfInaccessible);
    const seen = new Set([...missed, ...update.timeline].map(({ eventId }) => eventId));
    return [...update.state.filter(({ eventId }) => !seen.has(eventId)), ...missed, ...update.timeline];
  }

  async function loadPosition(): Promise<string | null> {
    return position.load().then(
      (stored) => (stored === '' ? null : stored),
      () => {
        log.warn('the position could not be read');
        return null;
      },
    );
  }

  async function run(): Promise<void> {
    let since = await loadPosition();
    while (!stopping.signal.aborted) {
      try {
        since = await syncOnce(since);
        const isReconnected = failures > 0;
        failures = 0;
        syncedAt = now();
        if (isReconnected) options.onReconnected?.();
        ready.resolve();
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures++;
        processed = [];
        since = await loadPosition();
        const code = error instanceof MintwardenError ? error.code : 'internal';
        const errcode = error instanceof HomeserverRefusal ? error.errcode : null;
        log.warn('news from the homeserver could not be dealt with', { code, errcode, failures });
        if (errcode === 'M_UNKNOWN_TOKEN') options.onLoggedOut?.(isSessionEnded(error));
        await sleep(Math.min(MAX_BACKOFF_MS, 500 * 2 ** Math.min(failures, 6)), undefined, {
          signal: stopping.signal,
        }).catch(() => undefined);
      }
    }
  }

  const ended = run().catch((error: unknown) => {
    log.error('listening to the homeserver ended', {
      error: error instanceof Error ? error.name : 'unknown',
    });
    ready.reject(error);
  });
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    syncedAt: () => syncedAt,
    async stop() {
      stopping.abort();
      await ended;
      ready.resolve();
    },
  };
}

/**
 * A room that the bot was removed from, or that was purged, has no more events. Without this it would be
 * asked again for ever, and no other room would be processed.
 */
function emptyIfInaccessible(error: unknown): readonly RoomEvent[] {
  if (isForbidden(error) || isNotFound(error)) return [];
  throw error;
}

/** What was said between the last position and the timeline: a flood must not be able to hide a command. */
async function fetchGap(
  homeserver: HomeserverClient,
  roomId: RoomId,
  from: string,
  since: string,
): Promise<readonly RoomEvent[]> {
  const pages: RoomEvent[] = [];
  let at: string | null = from;
  for (let page = 0; at !== null && page < MAX_GAP_PAGES; page++) {
    const query = { dir: 'b', from: at, to: since, limit: 100, filter: JSON.stringify(GAP_FILTER) };
    const answer: JsonObject = await homeserver.request('GET', path`/rooms/${roomId}/messages`, { query });
    const chunk = eventsAt(answer, 'chunk');
    pages.push(...chunk);
    const end = stringAt(answer, 'end');
    at = end === at ? null : end;
  }
  return pages.toReversed();
}
