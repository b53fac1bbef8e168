import type { RoomId } from '../../domain/ids.ts';
import type { QueryRule } from '../http/call.ts';
import { isResponse } from '../http/response.ts';
import { parseJson } from '../http/json.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import { MAX_LIMIT, narrowedToTypes, rebuiltEventFilter } from './event-filter.ts';

/**
 * What homeservers make their tokens of. Sigils of ids are not in it, so that none is smuggled as a token.
 */
const TOKEN = /^[A-Za-z0-9._~=|+/-]{1,1024}$/;

/** A pagination or sync token: opaque, and short. */
export const token: QueryRule = (value) => (TOKEN.test(value) ? value : null);

/** A number of events, at most `MAX_LIMIT`. */
export const limit: QueryRule = (value) =>
  /^\d{1,9}$/.test(value) ? String(Math.min(Number(value), MAX_LIMIT)) : null;

/** One of these words. */
export function oneOf(...words: readonly string[]): QueryRule {
  return (value) => (words.includes(value) ? value : null);
}

/** A RoomEventFilter in JSON, as `/messages` and `/context` take it, for the types that are read. */
export const eventFilter: QueryRule = (value, { access }) => {
  const parsed = parseJson(value);
  if (isResponse(parsed)) return null;
  const rebuilt = rebuiltEventFilter(parsed.value, (room) => access.rooms.has(room as RoomId));
  const narrowed = rebuilt === null ? null : narrowedToTypes(rebuilt, readableTypesOf(access.grant.scope));
  return narrowed === null ? null : JSON.stringify(narrowed);
};

/** `true` or `false`. */
export const flag: QueryRule = oneOf('true', 'false');

/** A moment in milliseconds since the epoch. */
export const instant: QueryRule = (value) => (/^\d{1,15}$/.test(value) ? String(Number(value)) : null);
