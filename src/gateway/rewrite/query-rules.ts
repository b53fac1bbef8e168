import type { RoomId } from '../../domain/ids.ts';
import type { PlainRule, QueryRule } from '../http/call.ts';
import { FILTER_TOO_LONG, isResponse } from '../http/response.ts';
import { parseJson } from '../http/json.ts';
import { readableTypesOf } from '../filters/readable-types.ts';
import { MAX_LIMIT, narrowedToTypes, rebuiltEventFilter } from './event-filter.ts';

/**
 * What homeservers make their tokens of. Sigils of ids are not in it, so that none is smuggled as a token.
 */
const TOKEN = /^[A-Za-z0-9._~=|+/-]{1,1024}$/;

/** A pagination or sync token: opaque, and short. */
export const token: PlainRule = (value) => (TOKEN.test(value) ? value : null);

/** A number of events, at most `MAX_LIMIT`. */
export const limit: PlainRule = (value) =>
  /^\d{1,9}$/.test(value) ? String(Math.min(Number(value), MAX_LIMIT)) : null;

/** One of these words. */
export function oneOf(...words: readonly string[]): PlainRule {
  return (value) => (words.includes(value) ? value : null);
}

/**
 * What of a filter fits into an address, encoded, beside the longest path and tokens: Synapse takes request lines
 * of 16 KiB.
 */
const MAX_FILTER = 10_000;

/** Whether a filter in JSON is too long to be asked for. */
export function isTooLong(filter: string): boolean {
  // Nothing is encoded in more than three signs, but for what is not ASCII.
  return filter.length > MAX_FILTER / 9 && encodeURIComponent(filter).length > MAX_FILTER;
}

/** A RoomEventFilter in JSON, as `/messages` and `/context` take it, for the types that are read. */
export const eventFilter: QueryRule = (value, { access }) => {
  const parsed = parseJson(value);
  if (isResponse(parsed)) return parsed;
  const rebuilt = rebuiltEventFilter(parsed.value, (room) => access.rooms.has(room as RoomId));
  const narrowed = rebuilt === null ? null : narrowedToTypes(rebuilt, readableTypesOf(access.grant.scope));
  if (narrowed === null) return null;
  const text = JSON.stringify(narrowed);
  return isTooLong(text) ? FILTER_TOO_LONG : text;
};

/** `true` or `false`. */
export const flag: PlainRule = oneOf('true', 'false');

/** A moment in milliseconds since the epoch. */
export const instant: PlainRule = (value) => (/^\d{1,15}$/.test(value) ? String(Number(value)) : null);
