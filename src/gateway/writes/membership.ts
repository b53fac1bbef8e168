import type { RoomId } from '../../domain/ids.ts';
import { nameOf } from '../../domain/permission.ts';
import { CAPABILITY } from '../../domain/capability.ts';
import { allows } from '../../domain/scope.ts';
import {
  type GatewayResponse,
  invalid,
  isResponse,
  missingCapability,
  INVALID_UPSTREAM_RESPONSE,
  ok,
} from '../http/response.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import { alreadyJoinedFilter } from '../filters/account.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import { mapLookUpError } from './precondition-errors.ts';

const ROOM = '/_matrix/client/v3/rooms/{roomId}';
const KNOCK = '/_matrix/client/v3/knock/{roomId}';
const MAX_REASON = 1_000;

/**
 * Whether the scope lets a room be joined, or at least told to be joined already: who only sends does that
 * first too.
 */
export function mayJoin({ access }: Call): GatewayResponse | null {
  const { scope } = access.grant;
  return scope.can.some((permission) => CAPABILITY[nameOf(permission)].where === 'rooms')
    ? null
    : missingCapability('read');
}

/**
 * Reads a request to join. Where the subject is joined, that is the answer, and nothing happens; otherwise it
 * takes `join`. Nothing of the request is passed on but a reason: `via` and `server_name` would have the
 * homeserver talk to servers of the holder's choice, `third_party_signed` is another's invite.
 */
export function joinSteps({ params, body, access }: Call): MultiStep | GatewayResponse {
  const reason = reasonOf(body);
  if (isResponse(reason)) return reason;
  const roomId = params['roomId'] as RoomId;
  const { scope, subject } = access.grant;
  return async (tools) => {
    const path = pathOf(`${ROOM}/state/m.room.member/{me}`, { roomId, me: subject });
    const looked = await tools.lookUp({ method: 'GET', path, query: [['format', 'event']] });
    if (isResponse(looked)) return looked;
    const { response } = looked;
    if (response.status === 200) {
      const told = alreadyJoinedFilter(roomId)(response.body, access.rooms);
      if (told.status === 200) return ok({ room_id: roomId });
    } else if (response.status !== 403 && response.status !== 404) return mapLookUpError(response);
    if (!allows(scope, 'join')) return missingCapability('join');
    return intoRoom(
      tools,
      { method: 'POST', path: pathOf(`${ROOM}/join`, { roomId }), query: [], body: reason },
      roomId,
    );
  };
}

/**
 * Reads a request to be let in: by the room's id, which is in scope, never by an alias or by way of a server
 * that is named.
 */
export function knockSteps({ params, body }: Call): MultiStep | GatewayResponse {
  const reason = reasonOf(body);
  if (isResponse(reason)) return reason;
  const roomId = params['roomId'] as RoomId;
  return (tools) =>
    intoRoom(tools, { method: 'POST', path: pathOf(KNOCK, { roomId }), query: [], body: reason }, roomId);
}

async function intoRoom(tools: Tools, request: UpstreamRequest, roomId: RoomId): Promise<GatewayResponse> {
  const done = await tools.changeMembership(request, roomId);
  if (isResponse(done)) return done;
  await tools.refreshRooms(null);
  return isObject(done.got) && done.got['room_id'] === roomId
    ? ok({ room_id: roomId })
    : INVALID_UPSTREAM_RESPONSE;
}

/**
 * Reads a request to leave: it also rejects an invite and takes back a knock. A scope of all rooms is smaller
 * by it at once.
 */
export function leaveSteps({ params, body }: Call): MultiStep | GatewayResponse {
  const reason = reasonOf(body);
  return isResponse(reason) ? reason : outOfRoom(params['roomId'] as RoomId, 'leave', reason);
}

/** Reads a request to forget a room that was left. */
export function forgetSteps({ params }: Call): MultiStep {
  return outOfRoom(params['roomId'] as RoomId, 'forget', {});
}

function outOfRoom(roomId: RoomId, act: 'leave' | 'forget', body: JsonObject): MultiStep {
  return async (tools) => {
    const request = { method: 'POST', path: pathOf(`${ROOM}/${act}`, { roomId }), query: [], body } as const;
    // Where the subject is not, there is nothing to leave.
    const done =
      act === 'leave'
        ? await tools.change(request, 'writes', roomId)
        : await tools.changeMembership(request, roomId);
    if (isResponse(done)) return done;
    await tools.refreshRooms(roomId);
    return ok({});
  };
}

/** The reason alone, as a body; nothing where none is given. */
export function reasonOf(body: unknown): { readonly reason?: string } | GatewayResponse {
  if (body === undefined) return {};
  if (!isObject(body)) return invalid('reason');
  const reason = Object.hasOwn(body, 'reason') ? body['reason'] : undefined;
  if (reason === undefined) return {};
  return typeof reason === 'string' && reason.length <= MAX_REASON ? { reason } : invalid('reason');
}
