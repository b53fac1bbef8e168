import { unreachable } from '../../domain/errors.ts';
import type { RoomId } from '../../domain/ids.ts';
import { fits, invalidResponse, isObject, type JsonObject } from './json-shape.ts';
import { MAX_NESTED_EVENTS } from './shapes/event.ts';
import type {
  AnyRule,
  DataRule,
  EventRule,
  Field,
  ListRule,
  MapRule,
  ObjectRule,
  RoomsRule,
  Rule,
} from './shapes/rule.ts';

/** Another JSON type than the rule's. */
export const MISFIT: unique symbol = Symbol('misfit');
/** The rule's JSON type, and nothing of it is shown. */
export const EMPTY: unique symbol = Symbol('empty');

/** Where in the answer we are, and what was seen on the way. */
export type Context = {
  readonly rooms: ReadonlySet<RoomId>;
  /** Keeps rooms of a `/sync` in which there is no news. */
  readonly keepsEmptyRooms: boolean;
  /** The room whose events are read. */
  roomId: string;
  /** How many events are around this value. */
  depth: number;
  /** Whether the room has something new. */
  news: boolean;
};

/** A context for what is all of one room. */
export function contextOf(
  roomId: string,
  rooms: ReadonlySet<RoomId> = NO_ROOMS,
  keepsEmptyRooms = false,
): Context {
  return { rooms, keepsEmptyRooms, roomId, depth: 0, news: false };
}

const NO_ROOMS: ReadonlySet<RoomId> = new Set();

/**
 * What of a parsed value is shown by the rule.
 * @throws MintwardenError `homeserver-invalid-response`
 */
export function project(rule: Rule, value: unknown, context: Context): unknown {
  if (typeof rule === 'string') return fits(rule, value) ? value : MISFIT;
  switch (rule.kind) {
    case 'object':
      return isObject(value) ? projectObject(rule, value, context) : MISFIT;
    case 'event':
      return isObject(value) ? projectEvent(rule, value, context) : MISFIT;
    case 'list':
      return Array.isArray(value) ? projectList(rule, value, context) : MISFIT;
    case 'map':
      return isObject(value) ? projectMap(rule, value, context) : MISFIT;
    case 'rooms':
      return isObject(value) ? projectRooms(rule, value, context) : MISFIT;
    case 'text':
      return typeof value === 'string' && rule.test(value) ? value : MISFIT;
    case 'data':
      return isObject(value) ? projectData(rule, value, context) : MISFIT;
    case 'any':
      return projectAny(rule, value, context);
    default:
      return unreachable(rule);
  }
}

/** Whether something is left to be shown. */
export function isShown(projected: unknown): boolean {
  return projected !== MISFIT && projected !== EMPTY;
}

/** Looked at for every event: the keys of an object are listed once. */
const FIELDS = new WeakMap<ObjectRule['fields'], readonly (readonly [string, Field])[]>();

/** The keys of an object and what is shown of each. */
export function fieldsOf(fields: ObjectRule['fields']): readonly (readonly [string, Field])[] {
  let known = FIELDS.get(fields);
  if (known === undefined) {
    known = Object.entries(fields).map(([key, field]) => [
      key,
      typeof field === 'string' ? { rule: field } : field,
    ]);
    FIELDS.set(fields, known);
  }
  return known;
}

function projectObject(
  { fields, nonEmpty, news }: Pick<ObjectRule, 'fields' | 'nonEmpty' | 'news'>,
  value: JsonObject,
  context: Context,
): unknown {
  const shown: Record<string, unknown> = {};
  let count = 0;
  for (const [key, field] of fieldsOf(fields)) {
    if (field.unless !== undefined && value[field.unless] !== undefined) continue;
    const given = value[key];
    let inner =
      given === undefined || !Object.hasOwn(value, key) ? EMPTY : project(field.rule, given, context);
    if (inner === MISFIT && field.strict) throw invalidResponse(key);
    if (!isShown(inner)) {
      if (field.required) return EMPTY;
      if (field.otherwise === undefined) continue;
      inner = field.otherwise;
    }
    if (field.newsIfTrue && inner === true) context.news = true;
    if (field.hidden) continue;
    shown[key] = inner;
    count++;
  }
  if (nonEmpty && count === 0) return EMPTY;
  if (news && count > 0) context.news = true;
  return shown;
}

/** An event of this room, and in it the events that are bundled with it. */
function projectEvent(rule: EventRule, event: JsonObject, context: Context): unknown {
  if (context.depth > MAX_NESTED_EVENTS) return EMPTY;
  const room = event['room_id'];
  if (room === undefined ? rule.roomId === 'in-event' : room !== context.roomId) return EMPTY;
  if (typeof event['type'] !== 'string' || !rule.readable.has(event['type'])) return EMPTY;
  context.depth++;
  const shown = projectObject(rule, event, context);
  context.depth--;
  return shown;
}

function projectList(rule: ListRule, values: readonly unknown[], context: Context): unknown {
  const shown = values.map((value) => project(rule.of, value, context)).filter(isShown);
  if (rule.news && shown.length > 0) context.news = true;
  if (rule.newsIf !== undefined && values.some(rule.newsIf.test)) context.news = true;
  return rule.nonEmpty && shown.length === 0 ? EMPTY : shown;
}

function projectMap(rule: MapRule, value: JsonObject, context: Context): unknown {
  const shown = Object.entries(value).flatMap(([key, inner]) => {
    const one = rule.keys(key) ? project(rule.of, inner, context) : EMPTY;
    return isShown(one) ? [[key, one] as const] : [];
  });
  return rule.nonEmpty && shown.length === 0 ? EMPTY : Object.fromEntries(shown);
}

function projectRooms(rule: RoomsRule, value: JsonObject, context: Context): unknown {
  const shown: [string, unknown][] = [];
  for (const [roomId, room] of Object.entries(value)) {
    if (!context.rooms.has(roomId as RoomId)) continue;
    context.roomId = roomId;
    context.news = false;
    const one = project(rule.of, room, context);
    if (one === MISFIT) throw invalidResponse('room');
    // A room with nothing left held only what is the subject's own and not granted; that it came, and when,
    // is theirs too.
    if (isShown(one) && (context.news || context.keepsEmptyRooms || !rule.onlyWithNews))
      shown.push([roomId, one]);
  }
  return Object.fromEntries(shown);
}

function projectData(rule: DataRule, { type, content }: JsonObject, context: Context): unknown {
  if (typeof type !== 'string' || !rule.mayRead(type)) return EMPTY;
  return rule.project(type, content, context.rooms) ?? EMPTY;
}

function projectAny(rule: AnyRule, value: unknown, context: Context): unknown {
  for (const one of rule.of) {
    const shown = project(one, value, context);
    if (isShown(shown)) return shown;
  }
  return EMPTY;
}
