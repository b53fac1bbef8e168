import type { ReadableTypes } from '../readable-types.ts';
import { type EventRule, list, object, type ObjectRule } from './rule.ts';

const EVENT: ObjectRule['fields'] = {
  type: { rule: 'text', required: true },
  sender: { rule: 'text', required: true },
  content: { rule: 'object', required: true },
  event_id: 'text',
  room_id: 'text',
  origin_server_ts: 'count',
  state_key: 'text',
  redacts: 'text',
  prev_content: 'object', // where v3's `unsigned` has it, r0 clients look here too
  replaces_state: 'text',
};

/** `transaction_id` is left out: it shows which events were sent with this very token's upstream. */
const UNSIGNED: ObjectRule['fields'] = {
  age: 'count',
  prev_content: 'object',
  prev_sender: 'text',
  replaces_state: 'text',
  membership: 'text', // MSC4115
};

const STRIPPED: ObjectRule['fields'] = {
  type: { rule: 'text', required: true },
  sender: 'text',
  state_key: 'text',
  content: 'object',
  origin_server_ts: 'count',
  event_id: 'text',
  room_id: { rule: 'text', hidden: true },
};

/** How deep an event may hold others: the latest of a thread, its edit, that one's redaction. */
export const MAX_NESTED_EVENTS = 4;

const known = new WeakMap<ReadableTypes, EventRules>();

/** The rules for events of types that may be read. */
export type EventRules = {
  /** Where every event must say which room it is in. */
  readonly inEvent: EventRule;
  /** Where the key of the room says it. */
  readonly aroundEvent: EventRule;
  readonly stripped: EventRule;
};

/** The rules for events of these types; the same object for the same types. */
export function eventRules(readable: ReadableTypes): EventRules {
  let rules = known.get(readable);
  if (rules === undefined) known.set(readable, (rules = rulesFor(readable)));
  return rules;
}

function rulesFor(readable: ReadableTypes): EventRules {
  const around = eventRule('around-event', readable, true);
  return {
    inEvent: { ...around, roomId: 'in-event' },
    aroundEvent: around,
    stripped: { kind: 'event', roomId: 'around-event', readable, fields: STRIPPED, media: false },
  };
}

/** An event, and in it the events that are bundled with it: relations never cross rooms. */
function eventRule(roomId: EventRule['roomId'], readable: ReadableTypes, media: boolean): EventRule {
  const fields: Record<string, ObjectRule['fields'][string]> = { ...EVENT };
  const rule: EventRule = { kind: 'event', roomId, readable, fields, media };
  const redaction = media ? eventRule('around-event', readable, false) : rule;
  fields['unsigned'] = { rule: unsignedRule(rule, redaction, readable) };
  return rule;
}

function unsignedRule(nested: EventRule, redaction: EventRule, readable: ReadableTypes): ObjectRule {
  return object({
    ...UNSIGNED,
    // The redaction's own id; that there was one, the empty content says.
    ...(readable.has('m.room.redaction') ? { redacted_by: 'text' } : {}),
    redacted_because: { rule: redaction },
    'm.relations': { rule: relationsRule(nested, readable) },
  });
}

/** Bundled aggregations (spec 1.19, "Aggregations of child events"). */
function relationsRule(nested: EventRule, readable: ReadableTypes): ObjectRule {
  return object({
    'm.replace': { rule: nested },
    'm.thread': {
      rule: object({
        count: 'count',
        current_user_participated: 'flag',
        latest_event: { rule: nested, required: true },
      }),
    },
    // Ids alone: of which type each is, is not said.
    ...(readable.all
      ? {
          'm.reference': {
            rule: object({ chunk: { rule: list(object({ event_id: 'text' })), required: true } }),
          },
        }
      : {}),
  });
}
