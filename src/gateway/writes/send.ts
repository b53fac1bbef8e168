import type { RoomId } from '../../domain/ids.ts';
import type { Scope } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import {
  type GatewayResponse,
  FORBIDDEN,
  invalid,
  missingCapability,
  matrixError,
  TOO_LARGE,
} from '../http/response.ts';
import type { Call } from '../http/call.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import { isReaction, relationsOf, mentionsRoom, hasForbiddenMsgtype } from './content-rules.ts';
import { txnIdOf } from './txn-id.ts';
import type { Target, WriteRequest } from './write-request.ts';

const PATH = '/_matrix/client/v3/rooms/{roomId}/send/{eventType}';
/** Namespaced identifiers, and what older software makes of them. A wildcard is none. */
export const EVENT_TYPE = /^[A-Za-z0-9._~:+-]{1,255}$/;
/** Below what an event may weigh with all that the homeserver puts around it (65,536 bytes). */
export const MAX_CONTENT_BYTES = 64_000;
const REACTION = 'm.reaction';
const ENCRYPTED = 'm.room.encrypted';

/** An event that would ring everybody. */
export const NO_ROOM_MENTION = matrixError(403, 'M_FORBIDDEN', 'No token may notify everybody in a room.');
/** An event's content that is no object. */
export const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The content must be an object.');

/** Whether the scope lets this type be sent at all: null, or the refusal. Looks at no room. */
export function maySend({ params, access }: Call): GatewayResponse | null {
  const type = params['eventType'] ?? '';
  const { scope } = access.grant;
  const needed = type === REACTION ? 'react' : 'send';
  if (EVENT_TYPE.test(type) && typeAllowed(scope, needed, type)) return null;
  const named = scope.can.some((permission) => permission.split(':')[0] === needed);
  return named ? FORBIDDEN : missingCapability(needed);
}

/**
 * Reads a request to send an event. The type was checked already; here its content is: an edit needs `edit`
 * and an event of the subject's own, a reaction is a reaction and nothing else, every event that is named
 * must be in the room, nobody's device is verified, nobody speaks for the homeserver, and not everybody is rung.
 */
export function parseSend({ params, body, access }: Call): WriteRequest | GatewayResponse {
  const type = params['eventType'] ?? '';
  const { scope, subject } = access.grant;
  const txnId = txnIdOf(params);
  if (txnId === undefined) return invalid('txnId');
  if (!isObject(body)) return NOT_AN_OBJECT;
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_CONTENT_BYTES) return TOO_LARGE;
  if (hasForbiddenMsgtype(body)) return FORBIDDEN;
  if (mentionsRoom(body)) return NO_ROOM_MENTION;
  const relations = relationsOf(body);
  if (relations === null) return FORBIDDEN;
  if ((relations.annotates !== null || type === REACTION) && !(type === REACTION && isReaction(body)))
    return FORBIDDEN;
  if (relations.replaces !== null && !typeAllowed(scope, 'edit', type)) return missingCapability('edit');
  const targets = relations.names.map((eventId): Target => {
    const edited = eventId === relations.replaces;
    return { eventId, fits: (event) => (edited && !isOwn(event, subject, type) ? FORBIDDEN : null) };
  });
  return {
    roomId: params['roomId'] as RoomId,
    action: `send ${type}`,
    txnId,
    content: body,
    path: pathOf(PATH, { roomId: params['roomId'] ?? '', eventType: type }),
    onlyUnencrypted: needsUnencrypted(scope, type),
    targets,
    powerActions: [{ kind: 'send', type, isState: false }],
  };
}

/** An edit is of an event of the same type that the subject sent, and never of state. */
function isOwn(event: JsonObject, subject: string, type: string): boolean {
  return event['sender'] === subject && event['type'] === type && event['state_key'] === undefined;
}

/** Reactions are sent in clear by every client, in encrypted rooms too. */
function needsUnencrypted(scope: Scope, type: string): boolean {
  return type !== ENCRYPTED && type !== REACTION && !typeAllowed(scope, 'plaintext', type);
}
