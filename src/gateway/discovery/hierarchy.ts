import type { RoomId } from '../../domain/ids.ts';
import { type GatewayResponse, invalid, isResponse, ok } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import { projectRoomSummary } from '../filters/room-related.ts';
import {
  isObject,
  type JsonObject,
  optionalArray,
  requireArray,
  requireObject,
  requireString,
  pick,
  type Shape,
} from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const PATH = '/_matrix/client/v1/rooms/{room}/hierarchy';
const CHILD: Shape = {
  type: 'text',
  state_key: 'text',
  sender: 'text',
  origin_server_ts: 'count',
  content: 'object',
};
const FROM = /^mw(\d{1,6})$/;
const PAGE = 50;
/** Synapse lets an account ask ten times in a row, and gives fifty rooms a time. */
const MAX_PAGES = 8;
const MAX_DEPTH = 32;

/**
 * `/hierarchy` as a member of only the rooms in scope would see it. The homeserver's pages are read to their
 * end here, since their number would tell how many rooms lie outside; what is shown is found again in them,
 * through spaces in scope alone, and cut into pages of our own.
 */
export function hierarchySteps({ query, params, access }: Call): MultiStep | GatewayResponse {
  const suggested = query.get('suggested_only') ?? 'false';
  if (suggested !== 'true' && suggested !== 'false') return invalid('suggested_only');
  const deepest = query.get('max_depth') ?? String(MAX_DEPTH);
  if (!/^\d{1,9}$/.test(deepest)) return invalid('max_depth');
  const limit = query.get('limit') ?? String(PAGE);
  if (!/^[1-9]\d{0,8}$/.test(limit)) return invalid('limit');
  const from = FROM.exec(query.get('from') ?? 'mw0');
  if (from === null) return invalid('from');
  const [root, depth, start] = [
    params['roomId'] ?? '',
    Math.min(Number(deepest), MAX_DEPTH),
    Number(from[1]),
  ];
  const end = start + Math.min(Number(limit), PAGE);
  return async (tools) => {
    const found = await pagesOf(tools, root, access.rooms, [
      ['max_depth', String(depth)],
      ['limit', String(PAGE)],
      ['suggested_only', suggested],
    ]);
    if (isResponse(found)) return found;
    const shown = walked(root, depth, found, access.rooms);
    const rooms = shown.slice(start, end);
    return ok(shown.length > end ? { rooms, next_batch: `mw${end}` } : { rooms });
  };
}

/** The rooms in scope that the homeserver tells of, by id. */
async function pagesOf(
  { ask }: Tools,
  root: string,
  rooms: ReadonlySet<RoomId>,
  asked: readonly (readonly [string, string])[],
): Promise<ReadonlyMap<string, JsonObject> | GatewayResponse> {
  const found = new Map<string, JsonObject>();
  let from: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = from === null ? asked : [...asked, ['from', from] as const];
    const reply = await ask({ method: 'GET', path: pathOf(PATH, { room: root }), query }, false);
    if (isResponse(reply)) return reply;
    const body = requireObject(reply.got, 'hierarchy');
    for (const room of requireArray(body['rooms'], 'rooms')) {
      const said = requireObject(room, 'room');
      if (typeof said['room_id'] === 'string' && rooms.has(said['room_id'] as RoomId))
        found.set(said['room_id'], said);
    }
    if (body['next_batch'] === undefined) break;
    from = requireString(body['next_batch'], 'next_batch');
  }
  return found;
}

/** The rooms that are reached from the root through rooms in scope, in the order of the spaces. */
function walked(
  root: string,
  depth: number,
  found: ReadonlyMap<string, JsonObject>,
  rooms: ReadonlySet<RoomId>,
): readonly JsonObject[] {
  const shown: JsonObject[] = [];
  const seen = new Set<string>();
  const visit = (roomId: string, left: number): void => {
    const room = found.get(roomId);
    if (room === undefined || seen.has(roomId)) return;
    seen.add(roomId);
    const children = childrenOf(room, rooms);
    const summary = projectRoomSummary(room, roomId, rooms);
    if (summary !== null)
      shown.push({ ...summary, children_state: children.map((child) => pick(child, CHILD)) });
    if (left > 0)
      for (const child of children) visit(requireString(child['state_key'], 'state_key'), left - 1);
  };
  visit(root, depth);
  return shown;
}

/** The children in scope that a space names, in its order. */
function childrenOf(room: JsonObject, rooms: ReadonlySet<RoomId>): readonly JsonObject[] {
  const children = optionalArray(room['children_state'], 'children_state').filter(isObject);
  return children.filter(
    (child) => child['type'] === 'm.space.child' && rooms.has(child['state_key'] as RoomId),
  );
}
