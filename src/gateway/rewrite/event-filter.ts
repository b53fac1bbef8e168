import { covers } from '../../domain/wildcard.ts';
import type { ReadableTypes } from '../filters/readable-types.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';

/** The most events one answer may hold. */
export const MAX_LIMIT = 1_000;
/**
 * How long a list of types may be that is said upstream: Synapse takes request lines of 16 KiB, and `/sync`
 * has two.
 */
const MAX_TYPES = 3_000;

const LISTS = [
  'types',
  'not_types',
  'senders',
  'not_senders',
  'related_by_senders',
  'related_by_rel_types',
] as const;
const FLAGS = ['lazy_load_members', 'include_redundant_members', 'contains_url'] as const;
const ROOM_LISTS = ['rooms', 'not_rooms'] as const;

/** The texts of a list, or null where it is anything else. */
export function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
}

/**
 * A RoomEventFilter (spec 1.19, "Filtering") rebuilt from the parts that are known. Rooms outside the
 * scope are taken out of its lists. Null where a known key has a value that does not belong to it.
 */
export function rebuiltEventFilter(filter: unknown, inScope: (room: string) => boolean): JsonObject | null {
  if (!isObject(filter)) return null;
  const out: Record<string, unknown> = {};
  for (const key of [...LISTS, ...ROOM_LISTS]) {
    if (filter[key] === undefined || filter[key] === null) continue;
    const list = texts(filter[key]);
    if (list === null) return null;
    out[key] = (ROOM_LISTS as readonly string[]).includes(key) ? list.filter(inScope) : list;
  }
  for (const key of FLAGS) {
    if (filter[key] === undefined || filter[key] === null) continue;
    if (typeof filter[key] !== 'boolean') return null;
    out[key] = filter[key];
  }
  const limit = filter['limit'];
  if (limit === undefined || limit === null) return out;
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0) return null;
  out['limit'] = Math.min(limit, MAX_LIMIT);
  return out;
}

/**
 * The same filter for the types that are read alone, where they are few enough to be said: what is shown is
 * decided on the answer in any case. Null where it picks events by what relates to them, which would tell of
 * types that are not read.
 */
export function narrowedToTypes(filter: JsonObject, readable: ReadableTypes): JsonObject | null {
  if (readable.all) return filter;
  if (filter['related_by_senders'] !== undefined || filter['related_by_rel_types'] !== undefined) return null;
  const wanted = texts(filter['types'])?.flatMap((type) => sharedTypes(type, readable.patterns));
  const types = [...new Set(wanted ?? readable.patterns)];
  return encodeURIComponent(JSON.stringify(types)).length > MAX_TYPES ? filter : { ...filter, types };
}

/**
 * What a type of the holder's filter and the granted ones share. Its wildcards may stand anywhere (spec 1.19,
 * "Filtering").
 */
export function sharedTypes(type: string, granted: readonly string[]): readonly string[] {
  if (type.slice(0, -1).includes('*')) return [type];
  return granted.flatMap((one) => (covers(one, type) ? [type] : covers(type, one) ? [one] : []));
}
