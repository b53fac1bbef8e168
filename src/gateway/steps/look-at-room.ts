import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import { FORBIDDEN, type GatewayResponse, isResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { GatewayServices } from '../request/services.ts';
import { responseForError } from '../upstream/ask.ts';
import { missingFor, NO_QUERY } from './authorize.ts';

/**
 * A room that is not known to be in a scope that grows is looked at once more before that refuses, within the
 * grant's rate: a bridge may have made it just now. What the scope refuses for other reasons is not looked at.
 */
export function lookAtUnknownRoom(
  context: RequestContext,
  services: GatewayServices,
): undefined | Promise<GatewayResponse | undefined> {
  const access = requireAccess(context);
  if (!canGrow(access.grant.scope)) return undefined;
  const room = roomInPath(context);
  if (room === null || access.rooms.has(room) || lacksCapability(context)) return undefined;
  return services.roomLooks.take(access.grant.id) > 0
    ? undefined
    : lookUp(context, services, [room]).then((looked) => (isResponse(looked) ? looked : undefined));
}

/**
 * That a room is in a scope of all rooms is not taken from memory where the homeserver itself might let a non-member
 * in: before it is read, the homeserver is asked whether the subject is there, once a second for each grant.
 */
export function confirmRoom(
  context: RequestContext,
  services: GatewayServices,
): undefined | Promise<GatewayResponse | undefined> {
  const { grant } = requireAccess(context);
  // Nobody changes anything where they are not, but for joining and knocking, which look by themselves.
  if (grant.scope.rooms !== 'all' || context.method !== 'GET') return undefined;
  const room = roomInPath(context);
  return room === null || services.memberships.isJoined(grant.id, room)
    ? undefined
    : confirm(context, services, room);
}

function roomInPath(context: RequestContext): RoomId | null {
  const { endpoint, params } = requireRoute(context);
  const asks = endpoint.kind === 'forward' || endpoint.kind === 'task';
  return asks && endpoint.room === 'path' ? (params['roomId'] as RoomId) : null;
}

/** One that is missing is named before any room is looked at. */
function lacksCapability(context: RequestContext): boolean {
  const { now, body, target } = context;
  const { endpoint, params } = requireRoute(context);
  if (endpoint.kind !== 'forward' && endpoint.kind !== 'task') return true;
  const query = target?.query.values ?? NO_QUERY;
  return missingFor(endpoint, { params, query, body, access: requireAccess(context), now }) !== null;
}

async function confirm(
  context: RequestContext,
  services: GatewayServices,
  room: RoomId,
): Promise<GatewayResponse | undefined> {
  const { grant, rooms } = requireAccess(context);
  const joined = await unlessAborted(services.memberships.ask(grant.id), context.signal);
  if (isResponse(joined)) return joined;
  if (!joined.has(room)) {
    // What the scope opens there is an invite, or nothing any more.
    const looked = await lookUp(context, services, 'again');
    return isResponse(looked) ? looked : looked.has(room) ? undefined : FORBIDDEN;
  }
  // Another one was left: what speaks of many rooms has to know it too.
  if (grant.scope.by === undefined && !rooms.isSubsetOf(joined))
    services.accessControl.refreshRooms(grant.id).catch(() => undefined);
  return undefined;
}

async function lookUp(
  context: RequestContext,
  { accessControl }: GatewayServices,
  what: readonly RoomId[] | 'again',
): Promise<ReadonlySet<RoomId> | GatewayResponse> {
  const { grant } = requireAccess(context);
  try {
    const access = await unlessAborted(accessControl.refreshRooms(grant.id, what), context.signal);
    if (access === null) return UNKNOWN_TOKEN;
    context.access = access;
    return access.rooms;
  } catch (error) {
    if (context.abortReason !== null) throw error;
    return responseForError(error);
  }
}
