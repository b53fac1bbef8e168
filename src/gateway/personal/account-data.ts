import { nameOf } from '../../domain/permission.ts';
import type { RoomId } from '../../domain/ids.ts';
import type { Scope } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import {
  type GatewayResponse,
  FORBIDDEN,
  invalid,
  isResponse,
  missingCapability,
  NOT_FOUND,
  ok,
  matrixError,
  TOO_LARGE,
} from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { projectAccountData } from '../filters/account-data.ts';
import { isObject, requireObject, type JsonObject } from '../filters/json-shape.ts';
import { holds, mayReadAccountData } from '../filters/read-view.ts';
import { pathOf } from '../rewrite/path.ts';

const OF_ACCOUNT = '/_matrix/client/v3/user/{me}/account_data/{type}';
const OF_ROOM = '/_matrix/client/v3/user/{me}/rooms/{roomId}/account_data/{type}';
/** Namespaced identifiers. What is none is no type, so an excluded one has one spelling. */
const TYPE = /^[A-Za-z0-9._~:+-]{1,255}$/;
const MAX_BYTES = 64_000;
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The content must be an object.');
/**
 * Marks a room as unread (spec 1.19, "Marking rooms as unread"): the only data of a room that `markers`
 * writes here.
 */
const UNREAD: readonly string[] = ['m.marked_unread', 'com.famedly.marked_unread'];

/**
 * Reads a request for the account's own data or for a room's. What the scope does not open is never there, in
 * the same words as what is not: clients ask for much of it at start.
 */
export function getAccountDataSteps({ params, access }: Call): MultiStep | GatewayResponse {
  const { scope, subject } = access.grant;
  const { type = '', userId, roomId } = params;
  if (userId !== subject || (roomId !== undefined && !access.rooms.has(roomId as RoomId))) return NOT_FOUND;
  if (!TYPE.test(type) || !mayReadAccountData(scope, type, roomId === undefined ? 'account' : 'room'))
    return NOT_FOUND;
  const path = pathOf(roomId === undefined ? OF_ACCOUNT : OF_ROOM, {
    me: subject,
    type,
    roomId: roomId ?? '',
  });
  return async (tools) => {
    const asked = await tools.ask({ method: 'GET', path, query: [] }, true);
    if (isResponse(asked)) return asked;
    const content = requireObject(asked.got, 'account data');
    return ok(projectAccountData(type, content, await tools.roomsInScope([])));
  };
}

/**
 * Whether the scope lets data of this type be written: null, or the refusal. Looks at no room and
 * no user.
 */
export function maySetAccountData({ params, access }: Call): GatewayResponse | null {
  const { scope } = access.grant;
  const type = params['type'] ?? '';
  if (params['roomId'] !== undefined && UNREAD.includes(type))
    return holds(scope, 'markers') ? null : missingCapability('markers');
  if (TYPE.test(type) && typeAllowed(scope, 'account-data', type)) return null;
  return namesData(scope) ? FORBIDDEN : missingCapability('account-data');
}

/**
 * Reads a request to write data whose type was checked already. What is excluded is in no scope, under any
 * spelling.
 */
export function setAccountDataSteps({ params, body, access }: Call): MultiStep | GatewayResponse {
  const { type = '' } = params;
  const roomId = (params['roomId'] ?? null) as RoomId | null;
  if (!isObject(body)) return NOT_AN_OBJECT;
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_BYTES) return TOO_LARGE;
  const content = UNREAD.includes(type) && roomId !== null ? unreadOf(body) : body;
  if (content === null) return invalid('unread');
  const path = pathOf(roomId === null ? OF_ACCOUNT : OF_ROOM, {
    me: access.grant.subject,
    type,
    roomId: roomId ?? '',
  });
  return async (tools) => {
    const asked = await tools.change({ method: 'PUT', path, query: [], body: content }, 'personal', roomId);
    return isResponse(asked) ? asked : ok({});
  };
}

function unreadOf({ unread }: JsonObject): JsonObject | null {
  return typeof unread === 'boolean' ? { unread } : null;
}

function namesData(scope: Scope): boolean {
  return scope.can.some((permission) => nameOf(permission) === 'account-data');
}
