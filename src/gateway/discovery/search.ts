import type { RoomId } from '../../domain/ids.ts';
import { type GatewayResponse, invalid, isResponse, ok } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { roomIdsInJoinedRooms } from '../filters/account.ts';
import { NO_RESULTS } from '../filters/search.ts';
import { type ReadableTypes, readableTypesOf } from '../filters/readable-types.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { readViewOf } from '../filters/read-view.ts';
import { narrowedToTypes, rebuiltEventFilter, texts } from '../rewrite/event-filter.ts';
import { token } from '../rewrite/query-rules.ts';

/** What is searched, and the type of the events that have it (spec 1.19, "Server-side search"). */
const KEYS: Readonly<Record<string, string>> = {
  'content.body': 'm.room.message',
  'content.name': 'm.room.name',
  'content.topic': 'm.room.topic',
};
const MAX_TERM = 1_000;
const MAX_AROUND = 100;

/**
 * `/search` inside the scope. Synapse adds the predecessors of the rooms it is told to search, so every
 * other room the subject is in is ruled out by name: neither the results, nor their count, nor their pages
 * come from there. Where only some types are read, what the others say is not searched: whether a word stands
 * there would show in pages. The answer is filtered all the same.
 */
export function searchSteps(call: Call): MultiStep | GatewayResponse {
  const page = call.query.get('next_batch');
  if (page !== undefined && token(page, call) === null) return invalid('next_batch');
  const categories = isObject(call.body) ? call.body['search_categories'] : undefined;
  const asked = isObject(categories) ? categories['room_events'] : undefined;
  const view = readViewOf(call.access);
  const readable = readableTypesOf(view.scope);
  const criteria = isObject(asked) ? rebuiltCriteria(asked, readable) : null;
  if (!isObject(asked) || criteria === null) return invalid('search_categories');
  return async (tools) => {
    const joined = await tools.ask(
      { method: 'GET', path: '/_matrix/client/v3/joined_rooms', query: [] },
      false,
    );
    if (isResponse(joined)) return joined;
    const all = roomIdsInJoinedRooms(joined.got);
    const rooms = await tools.roomsInScope(all);
    const inScope = (room: string) => rooms.has(room as RoomId);
    const given = rebuiltEventFilter(asked['filter'] ?? {}, inScope);
    const filter = given === null ? null : narrowedToTypes(given, readable);
    if (filter === null) return invalid('filter');
    const wanted = texts(filter['rooms']) ?? [...rooms];
    // To a homeserver, no keys could mean all of them.
    if (wanted.length === 0 || texts(criteria['keys'])?.length === 0) return ok(NO_RESULTS);
    const unwanted = [...(texts(filter['not_rooms']) ?? []), ...all.filter((room) => !inScope(room))];
    const body = {
      search_categories: {
        room_events: { ...criteria, filter: { ...filter, rooms: wanted, not_rooms: unwanted } },
      },
    };
    const query: [string, string][] = page === undefined ? [] : [['next_batch', page]];
    return tools.show(
      { method: 'POST', path: '/_matrix/client/v3/search', query, body },
      { kind: 'search', view },
      rooms,
    );
  };
}

/**
 * The criteria (spec 1.19, "Server-side search") without their filter, rebuilt. Null where they are not
 * understood.
 */
function rebuiltCriteria(asked: JsonObject, readable: ReadableTypes): JsonObject | null {
  const {
    search_term: term,
    keys,
    order_by: order,
    include_state: state,
    event_context: context,
    groupings,
  } = asked;
  if (typeof term !== 'string' || term.length > MAX_TERM) return null;
  const out: Record<string, unknown> = { search_term: term };
  if (keys !== undefined) {
    const list = texts(keys);
    if (list === null || !list.every((key) => Object.hasOwn(KEYS, key))) return null;
    out['keys'] = list;
  }
  if (!readable.all)
    out['keys'] = (texts(out['keys']) ?? Object.keys(KEYS)).filter((key) => readable.has(KEYS[key] ?? ''));
  if (order !== undefined) {
    if (order !== 'rank' && order !== 'recent') return null;
    out['order_by'] = order;
  }
  if (state !== undefined) {
    if (typeof state !== 'boolean') return null;
    out['include_state'] = state;
  }
  if (context !== undefined) {
    const around = rebuiltContext(context);
    if (around === null) return null;
    out['event_context'] = around;
  }
  if (groupings !== undefined) {
    const groups = rebuiltGroupings(groupings);
    if (groups === null) return null;
    out['groupings'] = groups;
  }
  return out;
}

function rebuiltContext(asked: unknown): JsonObject | null {
  if (!isObject(asked)) return null;
  const out: Record<string, unknown> = {};
  for (const key of ['before_limit', 'after_limit']) {
    const count = asked[key];
    if (count === undefined) continue;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) return null;
    out[key] = Math.min(count, MAX_AROUND);
  }
  const profiles = asked['include_profile'];
  if (profiles === undefined) return out;
  return typeof profiles === 'boolean' ? { ...out, include_profile: profiles } : null;
}

function rebuiltGroupings(asked: unknown): JsonObject | null {
  const list = isObject(asked) ? (asked['group_by'] ?? []) : null;
  if (!Array.isArray(list)) return null;
  const keys = (list as unknown[]).map((group) => (isObject(group) ? group['key'] : null));
  if (!keys.every((key) => key === 'room_id' || key === 'sender')) return null;
  return { group_by: [...new Set(keys)].map((key) => ({ key })) };
}
