import { nameOf } from '../../domain/permission.ts';
import type { RoomId } from '../../domain/ids.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import {
  type GatewayResponse,
  FORBIDDEN,
  invalid,
  isResponse,
  missingCapability,
  INVALID_UPSTREAM_RESPONSE,
  ok,
  TOO_LARGE,
} from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { isObject, requireObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import { isEventId, mentionsRoom, hasForbiddenMsgtype } from './content-rules.ts';
import { refusedByPower } from './power-check.ts';
import { EVENT_TYPE, MAX_CONTENT_BYTES, NO_ROOM_MENTION, NOT_AN_OBJECT } from './send.ts';

const STATE = '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}';
const MAX_KEY_BYTES = 255;

/**
 * Whether the scope lets state of this type and key be set at all: null, or the refusal. Looks at
 * no room.
 */
export function maySetState(call: Call): GatewayResponse | null {
  const { scope } = call.access.grant;
  const { type, key } = named(call);
  if (EVENT_TYPE.test(type) && typeAllowed(scope, 'state', type, key)) return null;
  return scope.can.some((permission) => nameOf(permission) === 'state')
    ? FORBIDDEN
    : missingCapability('state');
}

/**
 * Reads a request to set state. Its type and key were checked already. The content is rebuilt: it relates
 * to nothing, mentions nobody and verifies no device, all of which would be sending. State is never encrypted,
 * so it needs no `plaintext`. Setting what stands already changes nothing, so no memory of it is kept.
 */
export function setStateSteps(call: Call): MultiStep | GatewayResponse {
  const { params, body, access } = call;
  const { type, key } = named(call);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return invalid('stateKey');
  if (!isObject(body)) return NOT_AN_OBJECT;
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_CONTENT_BYTES) return TOO_LARGE;
  if (hasForbiddenMsgtype(body) || body['m.relates_to'] !== undefined) return FORBIDDEN;
  if (mentionsRoom(body)) return NO_ROOM_MENTION;
  const roomId = params['roomId'] as RoomId;
  return async (tools) => {
    const refused = await refusedByPower(
      access.grant,
      roomId,
      [{ kind: 'send', type, isState: true }],
      tools.lookUp,
    );
    if (refused !== null) return refused;
    const path = pathOf(STATE, { roomId, eventType: type, stateKey: key });
    const set = await tools.change({ method: 'PUT', path, query: [], body }, 'writes', roomId);
    if (isResponse(set)) return set;
    const { event_id: eventId } = requireObject(set.got, 'answer');
    return isEventId(eventId) ? ok({ event_id: eventId }) : INVALID_UPSTREAM_RESPONSE;
  };
}

/** A path without a key means the empty one. */
function named({ params }: Call): { readonly type: string; readonly key: string } {
  return { type: params['eventType'] ?? '', key: params['stateKey'] ?? '' };
}
