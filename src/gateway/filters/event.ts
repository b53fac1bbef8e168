import type { ReadableTypes } from './readable-types.ts';
import { isObject, type JsonObject, pick, type Shape } from './json-shape.ts';

const EVENT: Shape = {
  type: 'text',
  event_id: 'text',
  room_id: 'text',
  sender: 'text',
  origin_server_ts: 'count',
  content: 'object',
  state_key: 'text',
  redacts: 'text',
  prev_content: 'object', // where v3's `unsigned` has it, r0 clients look here too
  replaces_state: 'text',
};

/** `transaction_id` is left out: it shows which events were sent with this very token's upstream. */
const UNSIGNED: Shape = {
  age: 'count',
  prev_content: 'object',
  prev_sender: 'text',
  replaces_state: 'text',
  redacted_by: 'text',
  membership: 'text', // MSC4115
};

const STRIPPED: Shape = {
  type: 'text',
  sender: 'text',
  state_key: 'text',
  content: 'object',
  origin_server_ts: 'count',
  event_id: 'text',
};

/** How deep an event may hold others: the latest of a thread, its edit, that one's redaction. */
const MAX_NESTING = 4;

/**
 * Whether an event must say which room it is in. In /sync the key of its room says it; everywhere else it
 * does itself.
 */
export type RoomIdSource = 'in-event' | 'around-event';

/**
 * An event of this room as members see it, or null where it is none, another room's, or of a type that is not
 * read. What is bundled in it is judged the same.
 */
export function filterEvent(
  event: unknown,
  roomId: string,
  said: RoomIdSource,
  readable: ReadableTypes,
  depth = 0,
): JsonObject | null {
  if (!isObject(event) || depth > MAX_NESTING) return null;
  const room = event['room_id'];
  if (room === undefined ? said === 'in-event' : room !== roomId) return null;
  if (typeof event['type'] !== 'string' || typeof event['sender'] !== 'string' || !isObject(event['content']))
    return null;
  if (!readable.has(event['type'])) return null;
  const shown = pick(event, EVENT);
  if (isObject(event['unsigned']))
    shown['unsigned'] = projectUnsigned(event['unsigned'], roomId, readable, depth);
  return shown;
}

function projectUnsigned(
  unsigned: JsonObject,
  roomId: string,
  readable: ReadableTypes,
  depth: number,
): JsonObject {
  const shown = pick(unsigned, UNSIGNED);
  // The redaction's own id; that there was one, the empty content says.
  if (!readable.has('m.room.redaction')) delete shown['redacted_by'];
  const redaction = filterEvent(unsigned['redacted_because'], roomId, 'around-event', readable, depth + 1);
  if (redaction !== null) shown['redacted_because'] = redaction;
  if (isObject(unsigned['m.relations']))
    shown['m.relations'] = projectRelations(unsigned['m.relations'], roomId, readable, depth);
  return shown;
}

/** Bundled aggregations (spec 1.19, "Aggregations of child events"). Relations never cross rooms. */
function projectRelations(
  relations: JsonObject,
  roomId: string,
  readable: ReadableTypes,
  depth: number,
): JsonObject {
  const shown: Record<string, unknown> = {};
  const edit = filterEvent(relations['m.replace'], roomId, 'around-event', readable, depth + 1);
  if (edit !== null) shown['m.replace'] = edit;
  const thread = relations['m.thread'];
  if (isObject(thread)) {
    const latest = filterEvent(thread['latest_event'], roomId, 'around-event', readable, depth + 1);
    if (latest !== null) {
      shown['m.thread'] = {
        ...pick(thread, { count: 'count', current_user_participated: 'flag' }),
        latest_event: latest,
      };
    }
  }
  const references = relations['m.reference'];
  // Ids alone: of which type each is, is not said.
  if (readable.all && isObject(references) && Array.isArray(references['chunk'])) {
    shown['m.reference'] = {
      chunk: (references['chunk'] as unknown[])
        .filter(isObject)
        .map((one) => pick(one, { event_id: 'text' })),
    };
  }
  return shown;
}

/** The events of this room in a list, of types that are read; what is not one is left out. */
export function filterEvents(
  list: readonly unknown[],
  roomId: string,
  said: RoomIdSource,
  readable: ReadableTypes,
): JsonObject[] {
  return list.map((event) => filterEvent(event, roomId, said, readable)).filter((event) => event !== null);
}

/** Stripped state, as an invite or a knock shows it, of types that are read. */
export function filterStrippedState(
  list: readonly unknown[],
  roomId: string,
  readable: ReadableTypes,
): JsonObject[] {
  return list.filter(isObject).flatMap((event) => {
    if (event['room_id'] !== undefined && event['room_id'] !== roomId) return [];
    return typeof event['type'] === 'string' && readable.has(event['type']) ? [pick(event, STRIPPED)] : [];
  });
}
