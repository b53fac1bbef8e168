import type { RoomId } from '../../domain/ids.ts';
import { permissionCovers } from '../../domain/permission.ts';
import type { Scope } from '../../domain/scope.ts';
import { allows } from '../../domain/scope.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse } from '../http/response.ts';
import { filterEvent } from '../filters/event.ts';
import { ALL_TYPES } from '../filters/readable-types.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { Ask } from '../upstream/ask.ts';
import { joinedAsEvents } from '../filters/events-in.ts';
import { grantsAccess, type MediaReference, mediaReferencesOf } from '../../domain/media-reference.ts';

const ROOM = '/_matrix/client/v3/rooms/{room}';
/** Where there are more, the holder reads the event again, and so is shown it. */
const MAX_ROOMS = 20;
const MAX_ROOMS_DEEPER = 5;
const MAX_PAGES = 3;
const MAX_REQUESTS = 40;
const FILTER = JSON.stringify({ contains_url: true });

/** What a search in the rooms came to. `through`: it was made to its end. */
export type SearchOutcome =
  | { readonly kind: 'found' | 'through' }
  | { readonly kind: 'trouble'; readonly answer: GatewayResponse };

/**
 * Looks in the rooms in scope for events that show files: the newest that have any, then pictures of rooms
 * and members, then older ones. For what was shown before this process began, or by another one.
 * @param found is told of each that opens what it shows; true: enough
 * @param ask bounded in bytes; refusals and absences are its 404
 */
export async function searchRooms(
  access: Access,
  ask: Ask,
  timeoutMs: number,
  found: (reference: MediaReference) => boolean,
): Promise<SearchOutcome> {
  const { scope } = access.grant;
  let left = MAX_REQUESTS;
  let trouble: GatewayResponse | null = null;
  const get = async (
    room: RoomId,
    below: string,
    query: readonly (readonly [string, string])[],
  ): Promise<unknown> => {
    if (left-- <= 0 || trouble !== null) return null;
    const got = await ask(
      { method: 'GET', path: `${pathOf(ROOM, { room })}/${below}`, query },
      timeoutMs,
      true,
    );
    if (!isResponse(got)) return got.got;
    // 502 also stands for an answer beyond all bounds: a room with too many members is left out.
    if (got.status !== 404 && got.status !== 502) trouble = got;
    return null;
  };
  const take = (events: readonly unknown[], room: RoomId): boolean =>
    events
      .flatMap((event) => mediaReferencesOf(event, room))
      .filter((reference) => readable(scope, reference.type) && grantsAccess(reference, access.grant))
      .map(found)
      .includes(true);
  const page = async (
    room: RoomId,
    from: string | null,
  ): Promise<{ readonly done: boolean; readonly end: string | null }> => {
    const query: [string, string][] = [
      ['dir', 'b'],
      ['limit', '100'],
      ['filter', FILTER],
    ];
    if (from !== null) query.push(['from', from]);
    const got = await get(room, 'messages', query);
    if (!isObject(got) || !Array.isArray(got['chunk'])) return { done: false, end: null };
    const events = (got['chunk'] as unknown[]).map((event) =>
      filterEvent(event, room, 'in-event', ALL_TYPES),
    );
    return {
      done: take(events, room),
      end: typeof got['end'] === 'string' && events.length > 0 ? got['end'] : null,
    };
  };

  const rooms = [...access.rooms].slice(0, MAX_ROOMS);
  const ends = new Map<RoomId, string | null>();
  for (const room of rooms) {
    const { done, end } = await page(room, null);
    if (done) return { kind: 'found' };
    ends.set(room, end);
  }
  for (const room of rooms) {
    if (readable(scope, 'm.room.avatar')) {
      const avatar = await get(room, 'state/m.room.avatar', [['format', 'event']]);
      if (take([filterEvent(avatar, room, 'in-event', ALL_TYPES)], room)) return { kind: 'found' };
    }
    if (readable(scope, 'm.room.member') && take(joinedAsEvents(await get(room, 'joined_members', [])), room))
      return { kind: 'found' };
  }
  for (const room of rooms.slice(0, MAX_ROOMS_DEEPER)) {
    let from = ends.get(room) ?? null;
    for (let at = 1; at < MAX_PAGES && from !== null; at++) {
      const { done, end } = await page(room, from);
      if (done) return { kind: 'found' };
      from = end;
    }
  }
  return trouble === null ? { kind: 'through' } : { kind: 'trouble', answer: trouble };
}

/**
 * Whether the scope lets events of this type be read. Where it says nothing of reading, `media` stands alone.
 */
function readable(scope: Scope, type: string): boolean {
  return (
    !allows(scope, 'read') || scope.can.some((permission) => permissionCovers(permission, 'read', type, null))
  );
}
