import { LRUCache } from 'lru-cache';
import { MintwardenError } from '../domain/errors.ts';
import { parseUserId, type RoomId, type UserId } from '../domain/ids.ts';
import type { ChatEvent } from '../ports/chat.ts';
import type { Log } from '../ports/log.ts';
import { decrypt, type DecryptionResult } from './decrypt.ts';
import type { EngineClient } from './engine-client.ts';
import type { RoomEvent } from './events.ts';
import { stringAt, type HomeserverClient } from './homeserver.ts';
import { toMessage } from './incoming.ts';
import { createPace } from './pace.ts';

/** How long a text waits for a key that comes after it, before its sender is asked to send it again. */
const KEY_TIMEOUT_MS = 10_000;
/** Without a position nothing says what was seen already; older than this, nothing is a command any more. */
const MAX_AGE_MS = 600_000;
/** What somebody who is no administrator may write at once, and then how often: each text is work. */
const BURST = 30;
const REFILL_MS = 2_000;
const MAX_REMEMBERED = 1_000;
/** How often an event that its handler cannot take is tried, before it is let go so that others are heard. */
const MAX_ATTEMPTS = 5;
/** The same where the homeserver is to blame, and not the event: some minutes. */
const MAX_ATTEMPTS_WHILE_AWAY = 20;

/** Whether it is the homeserver that could not be reached, or gave no sense. */
function isHomeserverFailure(error: unknown): boolean {
  return (
    error instanceof MintwardenError &&
    (error.code === 'homeserver-unreachable' || error.code === 'homeserver-invalid-response')
  );
}

/** Turns events of rooms into events of the port, and hands them on, one after the other. */
export type Receiver = {
  /** Whether anything is heard in the room at all. */
  isWatched(roomId: RoomId): Promise<boolean>;
  /** Resolves once the event is dealt with; rejects where it has to come again. */
  receive(roomId: RoomId, event: RoomEvent): Promise<void>;
  /**
   * A new sync response begins: retries the events whose key was missing. Rejects as `receive` does.
   */
  retryPending(): Promise<void>;
  /** How many answers have begun. */
  round(): number;
  /**
   * The round of the oldest event that still waits for its key, which the position must not move past; null:
   * none waits. It advances even if someone keeps sending events without keys.
   */
  oldestPendingRound(): number | null;
};

type PendingEvent = {
  readonly roomId: RoomId;
  readonly event: RoomEvent;
  readonly since: number;
  readonly round: number;
};

/** `isWatched` tells the control room and our DMs from any other room. */
export function createReceiver(options: {
  readonly engine: EngineClient;
  readonly homeserver: HomeserverClient;
  readonly botId: string;
  readonly isWatched: (roomId: RoomId) => Promise<boolean>;
  readonly isAdmin: (userId: UserId) => boolean;
  readonly onEvent: (event: ChatEvent) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
  /** A clock that only goes forward. */
  readonly elapsedMs: () => number;
}): Receiver {
  const { engine, homeserver, botId, log, now } = options;
  const mayWrite = createPace({ burst: BURST, refillMs: REFILL_MS, elapsedMs: options.elapsedMs });
  const letIn = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  const pending = new Map<string, PendingEvent>();
  const attempts = new Map<string, number>();
  let round = 0;

  /** No single event may deafen the bot: what fails again and again is let go. */
  async function withAttemptLimit(id: string, kind: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      attempts.delete(id);
    } catch (error) {
      const count = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, count);
      log.error('an event could not be handled', {
        event: id,
        kind,
        attempt: count,
        error: error instanceof Error ? error.name : 'unknown',
      });
      if (count < (isHomeserverFailure(error) ? MAX_ATTEMPTS_WHILE_AWAY : MAX_ATTEMPTS)) throw error;
      attempts.delete(id);
    }
  }

  function deliver(event: ChatEvent, id: string): Promise<void> {
    return withAttemptLimit(id, event.kind, () => options.onEvent(event));
  }

  async function receiveEncrypted(roomId: RoomId, event: RoomEvent): Promise<void> {
    const found: DecryptionResult = await decrypt(engine, homeserver, roomId, event);
    if (found.kind === 'clear') {
      pending.delete(event.eventId);
      const message = toMessage(roomId, event, found, found.encryption);
      if (message !== null) await deliver({ kind: 'message', message }, event.eventId);
      return;
    }
    const first = pending.get(event.eventId) ?? { since: now(), round };
    if (found.kind === 'no-key' && now() - first.since < KEY_TIMEOUT_MS) {
      pending.set(event.eventId, { roomId, event, since: first.since, round: first.round });
      return;
    }
    pending.delete(event.eventId);
    await deliver(
      { kind: 'undecryptable', roomId, eventId: event.eventId, sender: event.sender },
      event.eventId,
    );
  }

  return {
    isWatched: (roomId) => options.isWatched(roomId),
    async receive(roomId, event) {
      if (!(await options.isWatched(roomId))) return;
      if (event.type === 'm.room.member' && event.stateKey !== null) {
        const userId = parseUserId(event.stateKey);
        const membership = stringAt(event.content, 'membership') ?? 'leave';
        if (userId !== null) await deliver({ kind: 'membership', roomId, userId, membership }, event.eventId);
        return;
      }
      if (event.sender === botId || event.stateKey !== null || now() - event.sentAt > MAX_AGE_MS) return;
      if (event.type !== 'm.room.encrypted' && event.type !== 'm.room.message') return;
      const { sender, eventId } = event;
      // One that comes again is not counted again.
      if (!options.isAdmin(sender) && !letIn.has(eventId) && !mayWrite(sender))
        return deliver({ kind: 'left-out', roomId, eventId, sender }, eventId);
      letIn.set(eventId, true);
      if (event.type === 'm.room.encrypted' && stringAt(event.content, 'ciphertext') !== null)
        await receiveEncrypted(roomId, event);
      if (event.type !== 'm.room.message') return;
      const message = toMessage(roomId, event, event, null);
      if (message !== null) await deliver({ kind: 'message', message }, event.eventId);
    },
    async retryPending() {
      round++;
      for (const { roomId, event } of pending.values()) await receiveEncrypted(roomId, event);
    },
    round: () => round,
    oldestPendingRound: () =>
      pending.size === 0 ? null : Math.min(...[...pending.values()].map((each) => each.round)),
  };
}
