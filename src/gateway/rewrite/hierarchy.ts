import type { RoomId } from '../../domain/ids.ts';
import { type Answer, invalid, isAnswer, ok } from '../answer.ts';
import type { Call, Steps, Tools } from '../catalogue/line.ts';
import { shownSummary } from '../filters/room-more.ts';
import { isObject, type JsonObject, maybeList, needList, needObject, needText, pick, type Shape } from '../filters/shown.ts';
import { pathOf } from './path.ts';

const PATH = '/_matrix/client/v1/rooms/{room}/hierarchy';
const CHILD: Shape = { type: 'text', state_key: 'text', sender: 'text', origin_server_ts: 'count', content: 'object' };
const FROM = /^mw(\d{1,6})$/;
const PAGE = 50;
/** Pages of one space's children that are asked for: Synapse gives fifty rooms a page. */
const MAX_PAGES = 20;
/** Rooms of one walk. */
const MAX_ROOMS = 2_000;
const MAX_DEPTH = 32;

/** How one walk goes. */
type Walk = {
  readonly tools: Tools;
  readonly suggestedOnly: boolean;
  readonly rooms: ReadonlySet<RoomId>;
  readonly seen: Set<string>;
  readonly found: JsonObject[];
};

/**
 * `/hierarchy` as a member of only the rooms in scope would see it. The homeserver is asked for one level of
 * one space in scope at a time, and never goes through a room outside; the pages are cut here.
 */
export function hierarchySteps({ query, params, access }: Call): Steps | Answer {
  const suggested = query.get('suggested_only') ?? 'false';
  if (suggested !== 'true' && suggested !== 'false') return invalid('suggested_only');
  const depth = query.get('max_depth') ?? String(MAX_DEPTH);
  if (!/^\d{1,9}$/.test(depth)) return invalid('max_depth');
  const limit = query.get('limit') ?? String(PAGE);
  if (!/^[1-9]\d{0,8}$/.test(limit)) return invalid('limit');
  const from = FROM.exec(query.get('from') ?? 'mw0');
  if (from === null) return invalid('from');
  const start = Number(from[1]);
  return async (tools) => {
    const walk: Walk = { tools, suggestedOnly: suggested === 'true', rooms: access.rooms, seen: new Set(), found: [] };
    const refused = await visit(walk, params['roomId'] ?? '', Math.min(Number(depth), MAX_DEPTH));
    if (refused !== null) return refused;
    const end = start + Math.min(Number(limit), PAGE);
    const rooms = walk.found.slice(start, end);
    return ok(walk.found.length > end ? { rooms, next_batch: `mw${end}` } : { rooms });
  };
}

/** Visits a space and what is below it, as deep as that. An answer ends the walk. */
async function visit(walk: Walk, roomId: string, depth: number): Promise<Answer | null> {
  walk.seen.add(roomId);
  const level = await oneLevel(walk, roomId, depth);
  if (isAnswer(level)) return level;
  const root = level.get(roomId);
  if (root === undefined) return null;
  const children = childrenOf(root, walk.rooms);
  show(walk, root, roomId, children);
  if (depth === 0) return null;
  for (const child of children) {
    const id = needText(child['state_key'], 'state_key');
    const room = level.get(id);
    if (walk.seen.has(id) || room === undefined || walk.found.length >= MAX_ROOMS) continue;
    walk.seen.add(id);
    if (room['room_type'] === 'm.space' && depth > 1) {
      const refused = await visit(walk, id, depth - 1);
      // The subject has left it: what the space above says of it is all there is to see.
      if (refused?.status === 403 || refused?.status === 404) show(walk, room, id, []);
      else if (refused !== null) return refused;
    } else show(walk, room, id, childrenOf(room, walk.rooms));
  }
  return null;
}

function show({ found, rooms }: Walk, room: JsonObject, roomId: string, children: readonly JsonObject[]): void {
  const summary = shownSummary(room, roomId, rooms);
  if (summary !== null) found.push({ ...summary, children_state: children.map((child) => pick(child, CHILD)) });
}

/** The children in scope that a space names, in its order. */
function childrenOf(room: JsonObject, rooms: ReadonlySet<RoomId>): readonly JsonObject[] {
  const children = maybeList(room['children_state'], 'children_state').filter(isObject);
  return children.filter((child) => child['type'] === 'm.space.child' && rooms.has(child['state_key'] as RoomId));
}

/** A space and its children, those in scope. A room in scope that is refused is one the subject is no longer in. */
async function oneLevel({ tools, suggestedOnly, rooms }: Walk, roomId: string, depth: number): Promise<Map<string, JsonObject> | Answer> {
  const level = new Map<string, JsonObject>();
  let from: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: [string, string][] = [['max_depth', depth === 0 ? '0' : '1'], ['limit', String(PAGE)]]; // prettier-ignore
    if (suggestedOnly) query.push(['suggested_only', 'true']);
    if (from !== null) query.push(['from', from]);
    const asked = await tools.ask({ method: 'GET', path: pathOf(PATH, { room: roomId }), query }, false);
    if (isAnswer(asked)) return asked;
    const body = needObject(asked.got, 'hierarchy');
    for (const room of needList(body['rooms'], 'rooms')) {
      const said = needObject(room, 'room');
      const id = said['room_id'];
      if (typeof id === 'string' && rooms.has(id as RoomId)) level.set(id, said);
    }
    if (body['next_batch'] === undefined) return level;
    from = needText(body['next_batch'], 'next_batch');
  }
  return level;
}
