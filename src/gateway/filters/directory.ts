import type { RoomId } from '../../domain/ids.ts';
import { type GatewayResponse, NOT_FOUND, ok } from '../http/response.ts';
import { isObject, type JsonObject, requireArray, requireObject, pick, type Shape } from './json-shape.ts';
import type { AnswerFilter } from './answer-filter.ts';

/** Where an alias leads, if that is in scope; everything else is not found. */
export const aliasTarget: AnswerFilter = (body, rooms) => {
  const target = requireObject(body, 'alias');
  return rooms.has(target['room_id'] as RoomId)
    ? ok(pick(target, { room_id: 'text', servers: 'texts' }))
    : NOT_FOUND;
};

/** The room an alias leads to. */
export function roomIdsInAliasTarget(body: unknown): string[] {
  return isObject(body) && typeof body['room_id'] === 'string' ? [body['room_id']] : [];
}

/** Whether a room is in the public list. */
export const visibility: AnswerFilter = (body) => {
  const said = requireObject(body, 'visibility');
  return said['visibility'] === 'public' || said['visibility'] === 'private'
    ? ok({ visibility: said['visibility'] })
    : NOT_FOUND;
};

/** Where an alias leads, wherever that is. */
export function projectAliasTarget(body: unknown): GatewayResponse {
  return ok(pick(requireObject(body, 'alias'), { room_id: 'text', servers: 'texts' }));
}

const LISTED: Shape = {
  room_id: 'text',
  name: 'text',
  topic: 'text',
  canonical_alias: 'text',
  avatar_url: 'text',
  num_joined_members: 'count',
  world_readable: 'flag',
  guest_can_join: 'flag',
  join_rule: 'text',
  room_type: 'text',
};

/** A page of the public list: what any account sees of each room. */
export function projectPublicRooms(body: unknown): JsonObject {
  const page = requireObject(body, 'list');
  const chunk = requireArray(page['chunk'], 'chunk').filter(isObject);
  const shown = pick(page, { next_batch: 'text', prev_batch: 'text', total_room_count_estimate: 'count' });
  return { ...shown, chunk: chunk.map((room) => pick(room, LISTED)) };
}

/** People found by a search. */
export function projectUserSearch(body: unknown): JsonObject {
  const found = requireObject(body, 'search');
  const results = requireArray(found['results'], 'results').filter(isObject);
  const shown = results.map((user) =>
    pick(user, { user_id: 'text', display_name: 'text', avatar_url: 'text' }),
  );
  return { limited: found['limited'] === true, results: shown };
}
