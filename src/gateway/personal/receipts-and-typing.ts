import { parseEventId, type RoomId } from '../../domain/ids.ts';
import type { Scope } from '../../domain/scope.ts';
import { type GatewayResponse, invalid, isResponse, ok, matrixError } from '../http/response.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import { isObject } from '../filters/json-shape.ts';
import { holds } from '../filters/read-view.ts';
import { pathOf } from '../rewrite/path.ts';
import { requireEventsInRoom } from './events-in-room.ts';

const ROOM = '/_matrix/client/v3/rooms/{roomId}';
/** A sign that a holder gives lasts no longer than this beyond the grant. */
const MAX_TYPING_MS = 30_000;
const NOTHING_DONE = ok({});
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');

/** Whose sign each type is: `m.read` is seen by others, the two others by the subject's own clients alone. */
const NEEDED = { 'm.read': 'receipts', 'm.read.private': 'markers', 'm.fully_read': 'markers' } as const;
type Sign = keyof typeof NEEDED;
const SIGNS = Object.keys(NEEDED) as readonly Sign[];

/**
 * Reads a request to show the subject typing. Without the capability nothing is done: clients ask for it
 * unasked.
 */
export function typingSteps({ params, body = {}, access }: Call): MultiStep | GatewayResponse {
  if (!holds(access.grant.scope, 'typing')) return NOTHING_DONE;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const { typing: is, timeout } = body;
  if (typeof is !== 'boolean') return invalid('typing');
  if (timeout !== undefined && (typeof timeout !== 'number' || !Number.isSafeInteger(timeout) || timeout < 1))
    return invalid('timeout');
  const roomId = roomOf(params);
  const path = pathOf(`${ROOM}/typing/{me}`, { roomId, me: access.grant.subject });
  const told = is
    ? { typing: true, timeout: Math.min(timeout ?? MAX_TYPING_MS, MAX_TYPING_MS) }
    : { typing: false };
  return (tools) => done(tools, { method: 'PUT', path, query: [], body: told }, roomId);
}

/**
 * Reads a receipt. Its event is looked up in the room first; without the capability of its type nothing is
 * done.
 */
export function receiptSteps({ params, body = {}, access }: Call): MultiStep | GatewayResponse {
  const sign = SIGNS.find((one) => one === params['receiptType']);
  if (sign === undefined || !holds(access.grant.scope, NEEDED[sign])) return NOTHING_DONE;
  const eventId = parseEventId(params['eventId'] ?? '');
  if (eventId === null) return invalid('eventId');
  if (!isObject(body)) return NOT_AN_OBJECT;
  const thread = body['thread_id'];
  // A marker is of the whole room (spec 1.19, "Receipts": m.fully_read has no thread).
  const threaded = thread !== undefined && sign !== 'm.fully_read';
  if (threaded && thread !== 'main' && (typeof thread !== 'string' || parseEventId(thread) === null))
    return invalid('thread_id');
  const roomId = roomOf(params);
  const path = pathOf(`${ROOM}/receipt/{sign}/{eventId}`, { roomId, sign, eventId });
  const named = threaded && thread !== 'main' ? [eventId, thread as string] : [eventId];
  return (tools) =>
    marked(tools, roomId, named, {
      method: 'POST',
      path,
      query: [],
      body: threaded ? { thread_id: thread } : {},
    });
}

/**
 * Reads markers: those of them that the scope lets be moved are; the rest is dropped, as clients send all
 * unasked.
 */
export function readMarkersSteps({ params, body = {}, access }: Call): MultiStep | GatewayResponse {
  const { scope } = access.grant;
  if (!SIGNS.some((sign) => holds(scope, NEEDED[sign]))) return NOTHING_DONE;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const moved: Partial<Record<Sign, string>> = {};
  for (const sign of movable(scope)) {
    const eventId = body[sign];
    if (eventId === undefined || eventId === null) continue;
    if (typeof eventId !== 'string' || parseEventId(eventId) === null) return invalid(sign);
    moved[sign] = eventId;
  }
  const named = [...new Set(Object.values(moved))];
  if (named.length === 0) return NOTHING_DONE;
  const roomId = roomOf(params);
  const path = pathOf(`${ROOM}/read_markers`, { roomId });
  return (tools) => marked(tools, roomId, named, { method: 'POST', path, query: [], body: moved });
}

function movable(scope: Scope): readonly Sign[] {
  return SIGNS.filter((sign) => holds(scope, NEEDED[sign]));
}

async function marked(
  tools: Tools,
  roomId: RoomId,
  named: readonly string[],
  request: UpstreamRequest,
): Promise<GatewayResponse> {
  const refused = await requireEventsInRoom(tools, roomId, named);
  if (refused !== null) return refused;
  return done(tools, request, roomId);
}

async function done(tools: Tools, request: UpstreamRequest, roomId: RoomId): Promise<GatewayResponse> {
  const asked = await tools.change(request, 'personal', roomId);
  return isResponse(asked) ? asked : NOTHING_DONE;
}

/** `authorize` has checked it: these endpoints have their room in the path. */
function roomOf(params: Call['params']): RoomId {
  return (params['roomId'] ?? '') as RoomId;
}
