import type { ReadableTypes } from '../readable-types.ts';
import { eventRules } from './event.ts';
import { type EventRule, type Field, list, type ListRule, object, type ObjectRule } from './rule.ts';

/** Answers that are lists of one room's events, of whatever length, with little beside them. */
export type RoomAnswer = 'messages' | 'context' | 'state' | 'members' | 'relations' | 'threads';

type RoomRules = Readonly<Record<RoomAnswer, ObjectRule | ListRule>>;

const PAGE = { start: 'text', end: 'text' } as const;
const known = new WeakMap<ReadableTypes, RoomRules>();

/** The rules for reading a room's events of these types; the same objects for the same types. */
export function roomRules(readable: ReadableTypes): RoomRules {
  let rules = known.get(readable);
  if (rules === undefined) known.set(readable, (rules = rulesFor(eventRules(readable).inEvent)));
  return rules;
}

function rulesFor(event: EventRule): RoomRules {
  const events = list(event, { streamed: true });
  const chunk: Field = { rule: events, strict: true, required: true };
  const around: Field = { rule: events, strict: true, otherwise: [] };
  const streamed = { streamed: true } as const;
  return {
    // A page of the timeline, and the members' state that goes with it.
    messages: object({ ...PAGE, chunk, state: { rule: events, strict: true } }, streamed),
    // Nothing is shown where the event itself is not.
    context: object(
      {
        ...PAGE,
        event: { rule: event, required: true },
        events_before: around,
        events_after: around,
        state: around,
      },
      streamed,
    ),
    state: events,
    members: object({ chunk: { ...chunk, rule: list(memberEvent(event), streamed) } }, streamed),
    relations: object({ next_batch: 'text', prev_batch: 'text', recursion_depth: 'count', chunk }, streamed),
    threads: object({ next_batch: 'text', chunk }, streamed),
  };
}

/** Membership events and nothing else. */
function memberEvent(event: EventRule): EventRule {
  const { readable } = event;
  const has = (type: string): boolean => type === 'm.room.member' && readable.has(type);
  return { ...event, readable: { all: false, patterns: ['m.room.member'], has } };
}
