import type { JsonObject } from './json-shape.ts';
import { contextOf, isShown, project } from './project.ts';
import type { ReadableTypes } from './readable-types.ts';
import { eventRules } from './shapes/event.ts';
import type { EventRule } from './shapes/rule.ts';

/**
 * Whether an event must say which room it is in. In /sync the key of its room says it; everywhere else it
 * does itself.
 */
export type RoomIdSource = EventRule['roomId'];

/**
 * An event of this room as members see it, or null where it is none, another room's, or of a type that is not
 * read. The same for the events that are bundled in it.
 */
export function filterEvent(
  event: unknown,
  roomId: string,
  source: RoomIdSource,
  readable: ReadableTypes,
): JsonObject | null {
  const { inEvent, aroundEvent } = eventRules(readable);
  const shown = project(source === 'in-event' ? inEvent : aroundEvent, event, contextOf(roomId));
  return isShown(shown) ? (shown as JsonObject) : null;
}

/** The events of this room in a list, of types that are read; what is not one is left out. */
export function filterEvents(
  list: readonly unknown[],
  roomId: string,
  source: RoomIdSource,
  readable: ReadableTypes,
): JsonObject[] {
  return list.map((event) => filterEvent(event, roomId, source, readable)).filter((event) => event !== null);
}

/** Stripped state, as an invite or a knock shows it, of types that are read. */
export function filterStrippedState(
  list: readonly unknown[],
  roomId: string,
  readable: ReadableTypes,
): JsonObject[] {
  const { stripped } = eventRules(readable);
  const context = contextOf(roomId);
  return list.map((event) => project(stripped, event, context)).filter(isShown) as JsonObject[];
}
