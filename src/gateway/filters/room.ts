import { NOT_FOUND, ok } from '../http/response.ts';
import { filterEvent, filterEvents } from './event.ts';
import { contextOf, isShown, project } from './project.ts';
import { roomRules } from './shapes/room.ts';
import type { ReadableTypes } from './readable-types.ts';
import {
  invalidResponse,
  isObject,
  requireArray,
  requireObject,
  pick,
  type JsonObject,
} from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

const ALGORITHM = { algorithm: 'text' } as const;

/** `/messages`: a page of one room's timeline, and the members' state that goes with it. */
export function messagesFilter(roomId: string, readable: ReadableTypes): AnswerFilter {
  const rule = roomRules(readable).messages;
  return (body) => {
    const page = project(rule, body, contextOf(roomId));
    if (!isShown(page)) throw invalidResponse('page');
    return ok(page);
  };
}

/** `/state`: the room's whole state. */
export function stateFilter(roomId: string, readable: ReadableTypes): AnswerFilter {
  return (body) => ok(filterEvents(requireArray(body, 'state'), roomId, 'in-event', readable));
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

/** `/context/{id}`: Synapse loads the event before it looks at the room, so the event itself decides. */
export function contextFilter(roomId: string, readable: ReadableTypes): AnswerFilter {
  const rule = roomRules(readable).context;
  return (body) => {
    const around = project(rule, requireObject(body, 'context'), contextOf(roomId));
    return isShown(around) ? ok(around) : NOT_FOUND;
  };
}

/** `/members`: membership events and nothing else. */
export function membersFilter(roomId: string, readable: ReadableTypes): AnswerFilter {
  return (body) => {
    const chunk = filterEvents(
      requireArray(requireObject(body, 'members')['chunk'], 'chunk'),
      roomId,
      'in-event',
      readable,
    );
    return ok({ chunk: chunk.filter((event) => event['type'] === 'm.room.member') });
  };
}

const MEMBER = { display_name: 'text', avatar_url: 'text' } as const;

/** `/joined_members`: who is in the room, under which name and picture. */
export const joinedMembers: AnswerFilter = (body) => {
  const joined = requireObject(requireObject(body, 'members')['joined'], 'joined');
  const shown = Object.entries(joined).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
  return ok({ joined: Object.fromEntries(shown.map(([user, member]) => [user, pick(member, MEMBER)])) });
};
