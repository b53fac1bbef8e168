import type { RoomId } from '../../domain/ids.ts';
import type { ReadView } from './read-view.ts';
import { isObject, type JsonObject, optionalArray, optionalObject, pick, type Shape } from './json-shape.ts';

/** The kinds of rules (spec 1.19, "Push rules"). */
export const RULE_KINDS = ['override', 'content', 'room', 'sender', 'underride'] as const;
/** One of `RULE_KINDS`. */
export type RuleKind = (typeof RULE_KINDS)[number];

const RULE: Shape = { rule_id: 'text', default: 'flag', enabled: 'flag', pattern: 'text' };
/** The conditions that are understood, each with the keys it has. */
const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  event_match: ['key', 'pattern'],
  event_property_is: ['key', 'value'],
  event_property_contains: ['key', 'value'],
  contains_display_name: [],
  room_member_count: ['is'],
  sender_notification_permission: ['key'],
  'org.matrix.msc3931.room_version_supports': ['feature'],
};
/** Anything in a text that could name a room or a person: a sigil with something behind it. */
const NAMES = /[!@#$][^\s!@#$]*/g;
/** The keys of an event that say where it is, and who it is of; a glob there could mean anyone. */
const ROOM_KEYS = new Set(['room_id']);
const PERSON_KEYS = new Set(['sender', 'user_id', 'state_key']);

/**
 * The rules that name no room outside the scope, nor anyone but the subject, unless the scope is all rooms.
 * Words stay: what the subject wants to hear of is what this shows. A rule with a condition that is not
 * understood is left out.
 */
export function filterPushRules(
  global: unknown,
  rooms: ReadonlySet<RoomId>,
  view: ReadView,
): Readonly<Record<RuleKind, readonly JsonObject[]>> {
  const lists = optionalObject(global, 'push rules');
  const kind = (name: RuleKind): readonly JsonObject[] =>
    optionalArray(lists[name], name)
      .map((rule) => filterPushRule(name, rule, rooms, view))
      .filter((rule) => rule !== null);
  return {
    override: kind('override'),
    content: kind('content'),
    room: kind('room'),
    sender: kind('sender'),
    underride: kind('underride'),
  };
}

function filterPushRule(
  kind: RuleKind,
  rule: unknown,
  rooms: ReadonlySet<RoomId>,
  view: ReadView,
): JsonObject | null {
  if (!isObject(rule)) return null;
  const shown = pick(rule, RULE);
  const id = shown['rule_id'];
  if (typeof id !== 'string') return null;
  if (kind === 'room' && !rooms.has(id as RoomId)) return null;
  if (kind === 'sender' && id !== view.subject && !seesAllRooms(view)) return null;
  const conditions = optionalArray(rule['conditions'], 'conditions').map((condition) =>
    projectCondition(condition, rooms, view),
  );
  const known = conditions.filter((condition) => condition !== null);
  if (known.length < conditions.length || namesOutside(id, rooms, view)) return null;
  if (typeof shown['pattern'] === 'string' && namesOutside(shown['pattern'], rooms, view)) return null;
  const actions = optionalArray(rule['actions'], 'actions')
    .map(projectAction)
    .filter((action) => action !== null);
  return { ...shown, actions, ...(rule['conditions'] === undefined ? {} : { conditions: known }) };
}

function projectCondition(condition: unknown, rooms: ReadonlySet<RoomId>, view: ReadView): JsonObject | null {
  if (!isObject(condition) || typeof condition['kind'] !== 'string') return null;
  const keys = Object.hasOwn(CONDITIONS, condition['kind']) ? CONDITIONS[condition['kind']] : undefined;
  if (keys === undefined) return null;
  const shown: Record<string, unknown> = { kind: condition['kind'] };
  for (const key of keys) {
    const value = condition[key];
    if (value === undefined) continue;
    if (isObject(value) || Array.isArray(value)) return null;
    if (typeof value === 'string' && namesOutside(value, rooms, view)) return null;
    shown[key] = value;
  }
  const { key, pattern, value } = shown;
  const meant = pattern ?? value;
  if (typeof key !== 'string' || meant === undefined) return shown;
  if (ROOM_KEYS.has(key) && !rooms.has(meant as RoomId)) return null;
  if (PERSON_KEYS.has(key) && meant !== '' && meant !== view.subject && !seesAllRooms(view)) return null;
  return shown;
}

function projectAction(action: unknown): string | JsonObject | null {
  if (typeof action === 'string') return action;
  if (!isObject(action) || typeof action['set_tweak'] !== 'string') return null;
  const { value } = action;
  return {
    set_tweak: action['set_tweak'],
    ...(typeof value === 'string' || typeof value === 'boolean' ? { value } : {}),
  };
}

function namesOutside(text: string, rooms: ReadonlySet<RoomId>, view: ReadView): boolean {
  return (text.match(NAMES) ?? []).some((name) => {
    if (name.length === 1 || name === '@room' || name === view.subject) return false;
    return name.startsWith('!') ? !rooms.has(name as RoomId) : !seesAllRooms(view);
  });
}

/** A scope of all rooms may see every person in them. */
function seesAllRooms({ scope }: ReadView): boolean {
  return scope.rooms === 'all' && scope.by === undefined;
}
