import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { parseRoomId, parseUserId, type RoomId, type UserId } from '../domain/ids.ts';
import type { Log } from '../ports/log.ts';
import { isJsonObject, objectAt, arrayAt, path, stringAt } from './homeserver.ts';
import type { HomeserverClient, JsonObject } from './homeserver.ts';

/** Each refusal is work for the homeserver, so a flood of invitations is refused slowly. */
const PAUSE_MS = 500;
const MAX_WAITING = 1_000;
const LOG_MS = 3_600_000;
/** Shown to whoever invited the bot. */
const REASON = 'This bot joins no rooms. It writes to people by itself.';

/** Refuses invitations, which would otherwise pile up. */
export type Invitations = {
  /** Notes those in a sync answer, to be refused one after the other. */
  note(answer: JsonObject): void;
  stop(): Promise<void>;
};

/**
 * Refuses invitations to any room but the control room, except those of administrators: one of theirs may be to
 * the room that is to be the next control room. What cannot be refused comes again at the next start.
 */
export function startInvitations(options: {
  readonly homeserver: HomeserverClient;
  readonly botId: string;
  readonly controlRoomId: RoomId;
  readonly isAdmin: (userId: UserId) => boolean;
  readonly log: Log;
  readonly elapsedMs: () => number;
  /** For tests. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}): Invitations {
  const { homeserver, botId, controlRoomId, isAdmin, log, elapsedMs } = options;
  const pause = options.pause ?? ((signal) => sleep(PAUSE_MS, undefined, { signal, ref: false }));
  const stopping = new AbortController();
  const waiting = new Set<RoomId>();
  let working: Promise<void> | null = null;
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;

  async function refuse(roomId: RoomId): Promise<void> {
    const asked = { body: { reason: REASON }, signal: stopping.signal };
    await homeserver.request('POST', path`/rooms/${roomId}/leave`, asked);
    await homeserver.request('POST', path`/rooms/${roomId}/forget`, { body: {}, signal: stopping.signal });
    refused++;
    if (elapsedMs() - loggedAt < LOG_MS) return;
    loggedAt = elapsedMs();
    log.info('invitations were refused', { refused });
    refused = 0;
  }

  async function work(): Promise<void> {
    for (const roomId of waiting) {
      if (stopping.signal.aborted) return;
      await refuse(roomId).catch(() => undefined);
      waiting.delete(roomId);
      await pause(stopping.signal).catch(() => undefined);
    }
  }

  return {
    note(answer) {
      for (const [id, room] of Object.entries(objectAt(objectAt(answer, 'rooms'), 'invite'))) {
        const roomId = parseRoomId(id);
        if (roomId === null || roomId === controlRoomId || waiting.size >= MAX_WAITING) continue;
        const inviter = inviterOf(room, botId);
        if (inviter === null || !isAdmin(inviter)) waiting.add(roomId);
      }
      if (waiting.size > 0) working ??= work().finally(() => (working = null));
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** A sync answer with the invitations that wait already, and without the rooms the account is in. */
export async function listInvitations(homeserver: HomeserverClient): Promise<JsonObject> {
  // A room that does not exist: Synapse gives the same answer for two minutes to the same question.
  const filter = { room: { rooms: [`!${randomUUID()}:nowhere.invalid`] } };
  const query = { filter: JSON.stringify(filter), timeout: 0, set_presence: 'offline' };
  return homeserver.request('GET', path`/sync`, { query, timeoutMs: 120_000 });
}

function inviterOf(room: unknown, botId: string): UserId | null {
  const state = arrayAt(isJsonObject(room) ? objectAt(room, 'invite_state') : {}, 'events');
  const invitation = state.findLast(
    (event) => stringAt(event, 'type') === 'm.room.member' && stringAt(event, 'state_key') === botId,
  );
  return parseUserId(stringAt(invitation, 'sender') ?? '');
}
