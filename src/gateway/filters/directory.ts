import type { RoomId } from '../../domain/ids.ts';
import { NOT_FOUND, ok } from '../answer.ts';
import { type AnswerFilter, isObject, needObject, pick } from './shown.ts';

/** Where an alias leads, if that is in scope; everything else is not found. */
export const aliasTarget: AnswerFilter = (body, rooms) => {
  const target = needObject(body, 'alias');
  return rooms.has(target['room_id'] as RoomId) ? ok(pick(target, { room_id: 'text', servers: 'texts' })) : NOT_FOUND;
};

/** The room an alias leads to. */
export function roomOfAlias(body: unknown): string[] {
  return isObject(body) && typeof body['room_id'] === 'string' ? [body['room_id']] : [];
}

/** Whether a room is in the public list. */
export const visibility: AnswerFilter = (body) => {
  const said = needObject(body, 'visibility');
  return said['visibility'] === 'public' || said['visibility'] === 'private' ? ok({ visibility: said['visibility'] }) : NOT_FOUND;
};
