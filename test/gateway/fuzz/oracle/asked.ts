import type { Asked } from '../leaky-homeserver.ts';
import { ELSEWHERE, FIREWALLS } from '../scopes.ts';
import { isIn, ROOMS } from '../world.ts';
import type { Bounds } from './bounds.ts';
import type { Row } from './row.ts';
import { TABLE } from './table.ts';

/** Headers that the gateway says to the homeserver, in small letters. */
const HEADERS = new Set([
  'host',
  'connection',
  'authorization',
  'accept',
  'accept-encoding',
  'content-type',
  'content-length',
  'user-agent',
]);

/** What is wrong with a request that reached the homeserver; null: nothing. Read here from its bytes on. */
export function faultOfAsked(asked: Asked, bounds: Bounds, table: readonly Row[] = TABLE): string | null {
  const header = headerFault(asked) ?? firewallFault(asked, bounds);
  if (header !== null) return header;
  const question = asked.url.indexOf('?');
  const path = question === -1 ? asked.url : asked.url.slice(0, question);
  const spelling = spellingFault(path);
  if (spelling !== null) return spelling;
  const segments = path.slice(1).split('/').map(decodeURIComponent);
  const faults: string[] = [];
  for (const row of table) {
    const params = row.method === asked.method ? paramsOf(row.path, segments) : null;
    if (params === null) continue;
    const fault = rowFault(row, params, asked, question, bounds);
    if (fault === null) return null;
    faults.push(fault);
  }
  return faults.length === 0 ? 'no such request may be made at all' : faults.join('; ');
}

function rowFault(
  row: Row,
  params: Record<string, string>,
  asked: Asked,
  question: number,
  bounds: Bounds,
): string | null {
  if (!row.when(bounds.scope)) return 'the scope lacks the capability';
  if (params['room'] !== undefined && !bounds.rooms.has(params['room'])) return 'a room outside the scope';
  if (params['self'] !== undefined && params['self'] !== bounds.subject) return 'another user';
  if (params['user'] !== undefined && !isMet(params['user'], bounds))
    return 'a user who is in no room in scope';
  return (
    row.check?.(params, bounds) ??
    queryFault(row, question === -1 ? '' : asked.url.slice(question + 1), bounds) ??
    bodyFault(row, asked.body, params, bounds)
  );
}

/** What the endpoint rules and networks of this world come to. */
function firewallFault({ method, url }: Asked, { scope }: Bounds): string | null {
  if (scope.from?.includes(ELSEWHERE) === true) return 'asked from another network';
  const lists = scope.rules ?? [];
  if (lists.includes(FIREWALLS.noSync) && url.includes('/sync')) return 'a sync that a rule denies';
  if (lists.includes(FIREWALLS.noSending) && method === 'PUT' && url.includes('/send/'))
    return 'a message that a rule denies';
  // Where the subject is, the gateway asks for itself before a read in a scope of all rooms.
  const own = scope.rooms === 'all' && url.endsWith('/joined_rooms');
  if (lists.includes(FIREWALLS.onlyMessages) && !own && !/\/messages(?:\?|$)/.test(url))
    return 'what no rule allows';
  return null;
}

function isMet(user: string, { rooms }: Bounds): boolean {
  return ROOMS.some((room, index) => rooms.has(room) && isIn(user, index)) || user === '@alice:hs.test';
}

function headerFault({ rawHeaders }: Asked): string | null {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!HEADERS.has(name)) return `a header ${name}`;
    if (/127\.0\.0\.1|evil|fuzz/.test(rawHeaders[at + 1] ?? '') && name !== 'host')
      return `the holder’s own ${name}`;
  }
  return null;
}

/** Every segment is spelled in the one way, and none is more than a name. */
function spellingFault(path: string): string | null {
  if (!path.startsWith('/_matrix/')) return 'outside /_matrix';
  for (const [index, segment] of path.slice(1).split('/').entries()) {
    let text: string;
    try {
      text = decodeURIComponent(segment);
    } catch {
      return 'a path that cannot be read';
    }
    if (encodeURIComponent(text) !== segment) return 'the holder’s own spelling';
    if (text === '.' || text === '..' || /[/\\\u0000-\u001f]/.test(text))
      return 'a segment that is more than a name';
    if (text === '' && index < path.split('/').length - 2) return 'an empty segment';
  }
  return null;
}

function paramsOf(pattern: string, segments: readonly string[]): Record<string, string> | null {
  const pieces = pattern.slice(1).split('/');
  if (pieces.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, piece] of pieces.entries()) {
    const segment = segments[index] ?? '';
    if (!piece.startsWith('{')) {
      if (piece !== segment) return null;
    } else if (segment === '' && piece !== '{key}') return null;
    else params[piece.slice(1, -1)] = segment;
  }
  return params;
}

function queryFault(row: Row, query: string, bounds: Bounds): string | null {
  if (query === '') return null;
  const seen = new Set<string>();
  for (const pair of query.split('&')) {
    const [name = '', value = '', ...more] = pair
      .split('=')
      .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
    const rule = Object.hasOwn(row.query ?? {}, name) ? row.query?.[name] : undefined;
    if (more.length > 0 || seen.has(name) || rule === undefined) return `a parameter ${name}`;
    if (!rule(value, bounds)) return `${name} has a value that does not belong there`;
    seen.add(name);
  }
  return null;
}

function bodyFault(row: Row, text: string, params: Record<string, string>, bounds: Bounds): string | null {
  if (row.raw === true) return null;
  if (row.body === undefined) return text === '' ? null : 'a body';
  if (text === '') return row.body({}, params, bounds);
  const body = JSON.parse(text) as unknown;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'a body that is no object';
  if (JSON.stringify(body) !== text) return 'a body in the holder’s own spelling';
  return row.body(body as Record<string, unknown>, params, bounds);
}
