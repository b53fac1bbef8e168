import type { RoomId } from '../../domain/ids.ts';
import { filterEvent, filterEvents } from './event.ts';
import type { ReadableTypes } from './readable-types.ts';
import {
  isObject,
  type JsonObject,
  optionalArray,
  optionalObject,
  requireObject,
  pick,
} from './json-shape.ts';

/** What a search answers that has nowhere to look. */
export const NO_RESULTS: JsonObject = {
  search_categories: { room_events: { results: [], count: 0, highlights: [] } },
};

const GROUP = { next_batch: 'text', order: 'count' } as const;

/**
 * An answer of `/search` as a member of only these rooms would get it, of events of these types. Counts and
 * pages are passed on only where nothing had to be left out: otherwise they would count what lies outside. A
 * homeserver may count before it looks at types, so where only some are read there is no count.
 * @throws MintwardenError `homeserver-invalid-response`
 */
export function filterSearch(
  answer: unknown,
  rooms: ReadonlySet<RoomId>,
  readable: ReadableTypes,
): JsonObject {
  const events = requireObject(
    requireObject(requireObject(answer, 'search')['search_categories'], 'search_categories')['room_events'],
    'room_events',
  );
  const given = optionalArray(events['results'], 'results');
  const results = given.map((one) => filterResult(one, rooms, readable)).filter((one) => one !== null);
  const whole = results.length === given.length;
  const ids = new Set(results.map(({ result }) => result['event_id'] as string));
  const groups = optionalObject(events['groups'], 'groups');
  const words = JSON.stringify(results.map(({ result }) => result['content'])).toLowerCase();
  // The words that were found, in the events outside too: only those that stand in what is shown.
  const highlights = optionalArray(events['highlights'], 'highlights').filter(
    (word) => typeof word === 'string' && words.includes(word.toLowerCase()),
  );
  const shownGroups = {
    ...(isObject(groups['room_id'])
      ? { room_id: group(groups['room_id'], ids, whole, (key) => rooms.has(key as RoomId)) }
      : {}),
    ...(isObject(groups['sender']) ? { sender: group(groups['sender'], ids, whole, () => true) } : {}),
  };
  const shown = {
    ...(whole && readable.all ? pick(events, { count: 'count' }) : {}),
    ...(whole ? pick(events, { next_batch: 'text' }) : {}),
    results,
    highlights,
    ...(events['groups'] === undefined ? {} : { groups: shownGroups }),
    ...(events['state'] === undefined
      ? {}
      : { state: filterState(optionalObject(events['state'], 'state'), rooms, results, readable) }),
  };
  return { search_categories: { room_events: shown } };
}

/** One result as it is shown. */
type Result = { readonly result: JsonObject; readonly [more: string]: unknown };

function filterResult(given: unknown, rooms: ReadonlySet<RoomId>, readable: ReadableTypes): Result | null {
  if (!isObject(given) || !isObject(given['result'])) return null;
  const roomId = given['result']['room_id'];
  if (typeof roomId !== 'string' || !rooms.has(roomId as RoomId)) return null;
  const result = filterEvent(given['result'], roomId, 'in-event', readable);
  if (result === null) return null;
  const rank = typeof given['rank'] === 'number' ? { rank: given['rank'] } : {};
  return isObject(given['context'])
    ? { ...rank, result, context: filterContext(given['context'], result, roomId, readable) }
    : { ...rank, result };
}

function filterContext(
  given: JsonObject,
  result: JsonObject,
  roomId: string,
  readable: ReadableTypes,
): JsonObject {
  const before = filterEvents(
    optionalArray(given['events_before'], 'events_before'),
    roomId,
    'in-event',
    readable,
  );
  const after = filterEvents(
    optionalArray(given['events_after'], 'events_after'),
    roomId,
    'in-event',
    readable,
  );
  const shown = {
    ...pick(given, { start: 'text', end: 'text' }),
    events_before: before,
    events_after: after,
  };
  // What people were called then stands in their member events.
  if (given['profile_info'] === undefined || !readable.has('m.room.member')) return shown;
  const senders = new Set([result, ...before, ...after].map((event) => event['sender']));
  const people = Object.entries(optionalObject(given['profile_info'], 'profile_info'))
    .filter((entry): entry is [string, JsonObject] => senders.has(entry[0]) && isObject(entry[1]))
    .map(([user, profile]) => [user, pick(profile, { displayname: 'text', avatar_url: 'text' })]);
  return { ...shown, profile_info: Object.fromEntries(people) as JsonObject };
}

function group(
  given: JsonObject,
  ids: ReadonlySet<string>,
  whole: boolean,
  inScope: (key: string) => boolean,
): JsonObject {
  const shown: [string, JsonObject][] = [];
  for (const [key, one] of Object.entries(given)) {
    if (!inScope(key) || !isObject(one)) continue;
    const results = optionalArray(one['results'], 'results').filter((id) => ids.has(id as string));
    if (results.length > 0) shown.push([key, { ...(whole ? pick(one, GROUP) : {}), results }]);
  }
  return Object.fromEntries(shown);
}

function filterState(
  given: JsonObject,
  rooms: ReadonlySet<RoomId>,
  results: readonly Result[],
  readable: ReadableTypes,
): JsonObject {
  const shown: [string, JsonObject[]][] = [];
  const found = new Set(results.map(({ result }) => result['room_id']));
  for (const [roomId, events] of Object.entries(given)) {
    if (!rooms.has(roomId as RoomId) || !found.has(roomId)) continue;
    shown.push([roomId, filterEvents(optionalArray(events, 'state'), roomId, 'in-event', readable)]);
  }
  return Object.fromEntries(shown);
}
