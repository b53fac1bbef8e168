import { NOT_FOUND, ok } from '../http/response.ts';
import { filterEvent } from './event.ts';
import { contextOf, EMPTY, isShown, project } from './project.ts';
import { type RoomAnswer, roomRules } from './shapes/room.ts';
import type { ReadableTypes } from './readable-types.ts';
import { invalidResponse, isObject, requireObject, pick, type JsonObject } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

const ALGORITHM = { algorithm: 'text' } as const;

/**
 * An answer that is a list of one room's events. Synapse loads the event of `/context` before it looks at the room, so
 * there the event itself decides whether anything is shown.
 */
export function roomFilter(kind: RoomAnswer, roomId: string, readable: ReadableTypes): AnswerFilter {
  const rule = roomRules(readable)[kind];
  return (body) => {
    const shown = project(rule, body, contextOf(roomId));
    if (isShown(shown)) return ok(shown);
    if (shown === EMPTY && kind === 'context') return NOT_FOUND;
    throw invalidResponse(kind);
  };
}

/** `/state/{type}/{key}`: the content, or the event where that was asked for. */
export function stateEventFilter(
  roomId: string,
  readable: ReadableTypes,
  format: string | undefined,
): AnswerFilter {
  return (body) => {
    if (format !== 'event') return ok(requireObject(body, 'content'));
    const shown = filterEvent(requireObject(body, 'event'), roomId, 'in-event', readable);
    return shown === null ? NOT_FOUND : ok(shown);
  };
}

/** Whether a room is encrypted, for who may not read it. */
export const encryptionAlgorithm: AnswerFilter = (body) =>
  ok(pick(requireObject(body, 'content'), ALGORITHM));

/** `/event/{id}`: the event, if it is one of this room; of another room's event nothing is said. */
export function singleEventFilter(roomId: string, readable: ReadableTypes): AnswerFilter {
  return (body) => {
    const shown = filterEvent(requireObject(body, 'event'), roomId, 'in-event', readable);
    return shown === null ? NOT_FOUND : ok(shown);
  };
}

const MEMBER = { display_name: 'text', avatar_url: 'text' } as const;

/** `/joined_members`: who is in the room, under which name and picture. */
export const joinedMembers: AnswerFilter = (body) => {
  const joined = requireObject(requireObject(body, 'members')['joined'], 'joined');
  const shown = Object.entries(joined).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
  return ok({ joined: Object.fromEntries(shown.map(([user, member]) => [user, pick(member, MEMBER)])) });
};
