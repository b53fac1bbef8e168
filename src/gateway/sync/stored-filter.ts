import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { canonicalJson } from '../../domain/audit.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { isResponse } from '../http/response.ts';
import { parseJson } from '../http/json.ts';

const PREFIX = 'mw1-';
/** Proxies in front take request lines of 8 KiB. */
const MAX_ID = 4_000;
const MAX_FILTER = 65_536;

/**
 * The id of a stored filter is the filter, packed. So nothing is kept, nothing reaches the homeserver, and
 * an id that a client has written down is still good after a restart. Null where it would be too long.
 */
export function storedFilterId(filter: JsonObject): string | null {
  // Its length is the same in any order, and to put it into one takes long.
  if (JSON.stringify(filter).length > MAX_FILTER) return null;
  const text = canonicalJson(filter);
  const id = PREFIX + deflateRawSync(text).toString('base64url');
  return id.length > MAX_ID ? null : id;
}

/** The filter of an id, or null where it is none of ours. */
export function storedFilter(id: string): JsonObject | null {
  if (!id.startsWith(PREFIX) || id.length > MAX_ID || !/^[A-Za-z0-9_-]+$/.test(id)) return null;
  try {
    const parsed = parseJson(
      inflateRawSync(Buffer.from(id.slice(PREFIX.length), 'base64url'), {
        maxOutputLength: MAX_FILTER,
      }).toString('utf8'),
    );
    return !isResponse(parsed) && isObject(parsed.value) ? parsed.value : null;
  } catch {
    return null;
  }
}
