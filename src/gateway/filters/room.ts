import { NOT_FOUND, ok } from '../answer.ts';
import { shownEvent, shownEvents } from './event.ts';
import type { Readable } from './readable.ts';
import { isObject, maybeList, needList, needObject, pick, type JsonObject } from './shown.ts';
import type { AnswerFilter } from './answer-filter.ts';

const PAGE = { start: 'text', end: 'text' } as const;
const ALGORITHM = { algorithm: 'text' } as const;

/** `/messages`: a page of one room's timeline, and the members' state that goes with it. */
export function messagesOf(roomId: string, readable: Readable): AnswerFilter {
  return (body) => {
    const page = needObject(body, 'page');
    const shown = {
      ...pick(page, PAGE),
      chunk: shownEvents(needList(page['chunk'], 'chunk'), roomId, 'in-event', readable),
    };
    const state = shownEvents(maybeList(page['state'], 'state'), roomId, 'in-event', readable);
    return ok(page['state'] === undefined ? shown : { ...shown, state });
  };
}

/** `/state`: the room's whole state. */
export function stateOf(roomId: string, readable: Readable): AnswerFilter {
  return (body) => ok(shownEvents(needList(body, 'state'), roomId, 'in-event', readable));
}

/** `/state/{type}/{key}`: the content, or the event where that was asked for. */
export function stateEventOf(roomId: string, readable: Readable, format: string | undefined): AnswerFilter {
  return (body) => {
    if (format !== 'event') return ok(needObject(body, 'content'));
    const shown = shownEvent(needObject(body, 'event'), roomId, 'in-event', readable);
    return shown === null ? NOT_FOUND : ok(shown);
  };
}

/** Whether a room is encrypted, for who may not read it. */
export const algorithmOf: AnswerFilter = (body) => ok(pick(needObject(body, 'content'), ALGORITHM));

/** `/event/{id}`: the event, if it is one of this room; whoever names another room's learns nothing. */
export function eventOf(roomId: string, readable: Readable): AnswerFilter {
  return (body) => {
    const shown = shownEvent(needObject(body, 'event'), roomId, 'in-event', readable);
    return shown === null ? NOT_FOUND : ok(shown);
  };
}

/** `/context/{id}`: Synapse loads the event before it looks at the room, so the event itself decides. */
export function contextOf(roomId: string, readable: Readable): AnswerFilter {
  return (body) => {
    const around = needObject(body, 'context');
    const event = shownEvent(around['event'], roomId, 'in-event', readable);
    if (event === null) return NOT_FOUND;
    const list = (name: string) => shownEvents(maybeList(around[name], name), roomId, 'in-event', readable);
    return ok({
      ...pick(around, PAGE),
      event,
      events_before: list('events_before'),
      events_after: list('events_after'),
      state: list('state'),
    });
  };
}

/** `/members`: membership events and nothing else. */
export function membersOf(roomId: string, readable: Readable): AnswerFilter {
  return (body) => {
    const chunk = shownEvents(
      needList(needObject(body, 'members')['chunk'], 'chunk'),
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
  const joined = needObject(needObject(body, 'members')['joined'], 'joined');
  const shown = Object.entries(joined).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
  return ok({ joined: Object.fromEntries(shown.map(([user, member]) => [user, pick(member, MEMBER)])) });
};
