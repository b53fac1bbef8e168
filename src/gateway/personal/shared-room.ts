import { LRUCache } from 'lru-cache';
import type { RoomId, UserId } from '../../domain/ids.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, FORBIDDEN, isResponse, rateLimited } from '../http/response.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { Ask } from '../upstream/ask.ts';
import { tokenBucket } from '../limits/rate-limiter.ts';

const MEMBER = '/_matrix/client/v3/rooms/{room}/state/m.room.member/{user}';
const KEPT_MS = 60_000;
const MAX_KEPT = 10_000;
const KEPT_STRANGER_MS = 10_000;
const MAX_ROOMS = 50;
/**
 * Each person who is not known may take a question in every room: so many in a row, then so many a second.
 */
const LOOK_UPS_AT_ONCE = 100;
const LOOK_UPS_PER_SECOND = 1;

/** Whether a user is joined to a room in scope. Null: yes; otherwise the refusal. */
export type SharedRoomCheck = (
  user: UserId,
  access: Access,
  ask: Ask,
  timeoutMs: number,
) => Promise<GatewayResponse | null>;

/**
 * Looks a user up in the first fifty rooms in scope, one after the other, and remembers where it found
 * them for a minute; rate-limited, since one request of the holder's becomes fifty. A user who does not exist
 * takes the same questions as one who is elsewhere.
 */
export function createSharedRoomCheck(now: () => number): SharedRoomCheck {
  const lookUps = tokenBucket(LOOK_UPS_PER_SECOND, LOOK_UPS_AT_ONCE, now);
  const kept = new LRUCache<string, { readonly room: RoomId | null; readonly until: number }>({
    max: MAX_KEPT,
  });
  return async (user, access, ask, timeoutMs) => {
    const key = `${access.grant.id} ${user}`;
    const known = kept.get(key);
    if (known !== undefined && known.until > now()) {
      if (known.room === null) return FORBIDDEN;
      if (access.rooms.has(known.room)) return null;
    }
    kept.delete(key);
    const waitMs = access.rooms.size > 1 ? lookUps.take(access.grant.id) : 0;
    if (waitMs > 0) return rateLimited(waitMs);
    for (const room of [...access.rooms].slice(0, MAX_ROOMS)) {
      const member = await ask(
        { method: 'GET', path: pathOf(MEMBER, { room, user }), query: [] },
        timeoutMs,
        true,
      );
      if (isResponse(member)) {
        if (member.status === 404) continue;
        return member;
      }
      if (!isObject(member.got) || member.got['membership'] !== 'join') continue;
      keep(key, room, KEPT_MS);
      return null;
    }
    keep(key, null, KEPT_STRANGER_MS);
    return FORBIDDEN;
  };

  function keep(key: string, room: RoomId | null, forMs: number): void {
    kept.set(key, { room, until: now() + forMs });
  }
}
