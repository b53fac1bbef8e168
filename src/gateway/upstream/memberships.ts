import { LRUCache } from 'lru-cache';
import type { GrantId, RoomId } from '../../domain/ids.ts';
import { roomIdsInJoinedRooms } from '../filters/account.ts';
import { type GatewayResponse, INVALID_UPSTREAM_RESPONSE, isResponse } from '../http/response.ts';
import {
  isTokenUnknown,
  readResponse,
  responseForError,
  SMALL_ANSWER_BYTES,
  type Upstreams,
  withLease,
} from './ask.ts';

/** What the homeserver itself says of where subjects are, a moment ago. */
export interface Memberships {
  /** Whether the subject was in the room less than a second ago. At once. */
  isJoined(grantId: GrantId, room: RoomId): boolean;
  /** The rooms they are in: asked now, once for all who wait; or the holder's response, where it fails. */
  ask(grantId: GrantId): Promise<ReadonlySet<RoomId> | GatewayResponse>;
}

const FRESH_MS = 900;
const MAX_GRANTS = 1_000;
/** Others may wait for the same answer: it is not one request's to abort. */
const NEVER = new AbortController().signal;

/**
 * Keeps where subjects are for less than a second, by their own tokens: a scope of all rooms is looked up by the
 * admin API every half minute, and meanwhile the homeserver itself lets a non-member into public and world-readable
 * rooms.
 * @param elapsed milliseconds that only go forward
 */
export function createMemberships(
  upstreams: Upstreams,
  timeoutMs: number,
  elapsed: () => number,
): Memberships {
  const known = new LRUCache<GrantId, { readonly at: number; readonly rooms: ReadonlySet<RoomId> }>({
    max: MAX_GRANTS,
  });
  const asking = new Map<GrantId, Promise<ReadonlySet<RoomId> | GatewayResponse>>();

  const look = async (grantId: GrantId): Promise<ReadonlySet<RoomId> | GatewayResponse> => {
    const at = elapsed();
    const request = { method: 'GET', path: '/_matrix/client/v3/joined_rooms', query: [] } as const;
    const options = {
      timeoutMs,
      signal: NEVER,
      memory: null,
      times: null,
      large: null,
      maxBytes: SMALL_ANSWER_BYTES,
    };
    try {
      const asked = await withLease(upstreams, { grantId, signal: NEVER }, isTokenUnknown, (token) =>
        upstreams.json.ask(request, token, options),
      );
      const received = isResponse(asked) ? asked : readResponse(asked.outcome, false);
      if (isResponse(received)) return received.status === 404 ? INVALID_UPSTREAM_RESPONSE : received;
      const rooms = new Set(roomIdsInJoinedRooms(received.got) as RoomId[]);
      known.set(grantId, { at, rooms });
      return rooms;
    } catch (error) {
      return responseForError(error);
    }
  };

  return {
    isJoined(grantId, room) {
      const last = known.get(grantId);
      return last !== undefined && elapsed() - last.at < FRESH_MS && last.rooms.has(room);
    },
    ask(grantId) {
      let pending = asking.get(grantId);
      if (pending === undefined) {
        pending = look(grantId).finally(() => asking.delete(grantId));
        asking.set(grantId, pending);
      }
      return pending;
    },
  };
}
