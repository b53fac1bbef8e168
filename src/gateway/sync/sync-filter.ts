import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { holds, type ReadView } from '../filters/read-view.ts';
import { narrowedToTypes, rebuiltEventFilter, texts } from '../rewrite/event-filter.ts';
import { blocks, personalSections } from './sync-sections.ts';

/** Above this many characters the rooms are not said upstream: Synapse takes request lines of 16 KiB. */
const MAX_PUSHED = 6_000;

/**
 * The filter the homeserver is given for `/sync`: the holder's, narrowed to the scope, with everything off
 * that is the subject's own and not granted, and of types that are not read. It saves work and keeps other
 * rooms from waking the poll; what is shown is decided on the answer all the same. Null where the holder's
 * filter is not understood.
 */
export function pushedSyncFilter(
  asked: unknown,
  scope: ReadonlySet<RoomId>,
  view: ReadView,
): JsonObject | null {
  if (!isObject(asked)) return null;
  const inScope = (room: string) => scope.has(room as RoomId);
  const room = asked['room'] ?? {};
  if (!isObject(room)) return null;
  const readable = readableTypesOf(view.scope);
  const events = (section: unknown): JsonObject | null => {
    const rebuilt = rebuiltEventFilter(section ?? {}, inScope);
    return rebuilt === null ? null : narrowedToTypes(rebuilt, readable);
  };
  const state = events(room['state']);
  const timeline = events(room['timeline']);
  const wanted = room['rooms'] === undefined || room['rooms'] === null ? null : texts(room['rooms']);
  const unwanted = texts(room['not_rooms'] ?? []);
  if (state === null || timeline === null || unwanted === null) return null;
  if (wanted === null && room['rooms'] !== undefined && room['rooms'] !== null) return null;
  const personal = personalSections(asked, room, inScope, view);
  if (personal === null) return null;
  const leave = room['include_leave'];
  const perThread =
    isObject(room['timeline']) &&
    room['timeline']['unread_thread_notifications'] === true &&
    holds(view.scope, 'notifications') &&
    readable.all;
  // A scope that can grow may become more while the poll waits.
  const named = !canGrow(view.scope);
  const rooms = wanted !== null ? wanted.filter(inScope) : named ? [...scope] : null;
  const pushed = {
    presence: personal.presence,
    account_data: personal.accountData,
    room: {
      ...(unwanted.length > 0 ? { not_rooms: unwanted.filter(inScope) } : {}),
      ...(leave === true ? { include_leave: true } : {}),
      account_data: personal.roomData,
      ephemeral: personal.ephemeral,
      state,
      timeline: perThread ? { ...timeline, unread_thread_notifications: true } : timeline,
    },
  };
  if (rooms === null) return pushed;
  const whole = {
    ...pushed,
    room: blocks(personal.roomData) ? { rooms, ...pushed.room } : roomsBySection(pushed.room, rooms),
  };
  return encodeURIComponent(JSON.stringify(whole)).length > MAX_PUSHED ? pushed : whole;
}

/**
 * The rooms said in each section. Synapse holds the rooms of the whole filter against the `room_id` of
 * account data as well, which has none, so that all of it would fall out.
 */
function roomsBySection<
  T extends { readonly state: JsonObject; readonly timeline: JsonObject; readonly ephemeral: JsonObject },
>(room: T, rooms: readonly string[]): T {
  const only = (section: JsonObject): JsonObject => {
    const said = section['rooms'] as readonly string[] | undefined;
    return { ...section, rooms: said === undefined ? rooms : said.filter((one) => rooms.includes(one)) };
  };
  const ephemeral = blocks(room.ephemeral) ? room.ephemeral : only(room.ephemeral);
  return { ...room, state: only(room.state), timeline: only(room.timeline), ephemeral };
}
