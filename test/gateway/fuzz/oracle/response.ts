import { inflateRawSync } from 'node:zlib';
import { COUNT } from '../leaky-answers.ts';
import type { HolderResponse } from '../lane.ts';
import { ROOMS } from '../world.ts';
import { holds, holdsType, readsAll } from './holds.ts';
import type { Bounds } from './bounds.ts';

const STATUSES = new Set([
  200, 204, 400, 401, 403, 404, 405, 409, 411, 413, 415, 429, 431, 500, 502, 503, 504,
]);
const HEADERS = new Set([
  'content-length',
  'content-type',
  'cache-control',
  'x-content-type-options',
  'date',
  'connection',
  'keep-alive',
  'retry-after',
  'www-authenticate',
  'allow',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'content-disposition',
  'content-security-policy',
  'cross-origin-resource-policy',
  'x-frame-options',
  'referrer-policy',
  'transfer-encoding',
]);

/** Whose own each letter behind `hq` is; what is not here is nobody's to see. */
const PERSONAL: Readonly<Record<string, string | readonly string[]>> = {
  m: ['read', 'media', 'media-any'],
  t: 'tags',
  d: 'account-data',
  p: 'presence',
  n: 'notifications',
  k: 'push-rules',
};

/**
 * What is wrong with an answer; null: nothing.
 * @param known names that the holder said themselves, in whatever spelling: hearing them again tells nothing
 */
export function faultOfResponse(
  told: HolderResponse,
  bounds: Bounds,
  known: ReadonlySet<string>,
): string | null {
  if (!STATUSES.has(told.status)) return `a status ${told.status}`;
  if (told.status === 500) return 'it broke';
  for (const header of told.headers) {
    const name = header.slice(0, header.indexOf(':')).toLowerCase();
    if (!HEADERS.has(name)) return `a header ${name}`;
    const fault = textFault(header, bounds, known);
    if (fault !== null) return `a header ${name}: ${fault}`;
  }
  const kept = !told.headers.some((header) => /^cache-control: (?:private, )?no-store$/i.test(header));
  if (told.status === 200 && kept) return 'an answer that may be kept';
  return textFault(unpacked(told.body), bounds, known);
}

function textFault(text: string, { scope, rooms }: Bounds, known: ReadonlySet<string>): string | null {
  if (/syt_|mwt_\w/.test(text)) return 'a token';
  if (text.includes(String(COUNT)) && !holds(scope, 'notifications')) return 'a count';
  for (const [whole, mark] of text.matchAll(/zq([0-9a-f]*)z/g)) {
    if (!isRead(mark ?? '', scope))
      return `${whole}, of the type ${Buffer.from(mark ?? '', 'hex').toString()}, which is not read`;
  }
  for (const [whole, kind, of = ''] of text.matchAll(/([hn])q(\w)\w*/gi)) {
    if (/\d/.test(of)) {
      const room = ROOMS[Number(of)];
      if (room !== undefined && rooms.has(room)) continue;
      // A file, whose address is what was granted.
      if (text.startsWith('hqm hq') && holds(scope, 'media-any')) continue;
      // What the holder said, they may hear again; what stands in a room, they cannot have said.
      if (kind?.toLowerCase() === 'n' && known.has(of)) continue;
      return `${whole}, of a room outside the scope`;
    }
    const capability = Object.hasOwn(PERSONAL, of) ? PERSONAL[of] : undefined;
    if (capability === undefined || !holds(scope, ...[capability].flat()))
      return `${whole}, the subject’s own`;
  }
  return null;
}

/** Whether a type is read. @param hex of its name; none: of all types together */
function isRead(hex: string, scope: Bounds['scope']): boolean {
  return readsAll(scope) || (hex !== '' && holdsType(scope, 'read', Buffer.from(hex, 'hex').toString()));
}

/** The ids of stored filters are filters, packed: chance has put `hq` in one before. */
function unpacked(body: string): string {
  return body.replaceAll(/mw1-([\w-]+)/g, (_, packed: string) =>
    inflateRawSync(Buffer.from(packed, 'base64url')).toString(),
  );
}
