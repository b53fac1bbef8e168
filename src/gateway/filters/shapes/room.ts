import type { ReadableTypes } from '../readable-types.ts';
import { eventRules } from './event.ts';
import { list, object, type ObjectRule } from './rule.ts';

const PAGE = { start: 'text', end: 'text' } as const;

type RoomRules = { readonly messages: ObjectRule; readonly context: ObjectRule };
const known = new WeakMap<ReadableTypes, RoomRules>();

/** The rules for reading a room's events of these types; the same objects for the same types. */
export function roomRules(readable: ReadableTypes): RoomRules {
  let rules = known.get(readable);
  if (rules === undefined)
    known.set(readable, (rules = { messages: messagesRule(readable), context: contextRule(readable) }));
  return rules;
}

/** `/messages`: a page of one room's timeline, and the members' state that goes with it. */
function messagesRule(readable: ReadableTypes): ObjectRule {
  const events = list(eventRules(readable).inEvent, { streamed: true });
  return object(
    {
      ...PAGE,
      chunk: { rule: events, strict: true, required: true },
      state: { rule: events, strict: true },
    },
    { streamed: true },
  );
}

/** `/context`: an event and those around it. Nothing is shown where the event itself is not. */
function contextRule(readable: ReadableTypes): ObjectRule {
  const event = eventRules(readable).inEvent;
  const events = { rule: list(event, { streamed: true }), strict: true, otherwise: [] } as const;
  return object(
    {
      ...PAGE,
      event: { rule: event, required: true },
      events_before: events,
      events_after: events,
      state: events,
    },
    { streamed: true },
  );
}
