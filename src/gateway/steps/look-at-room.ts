import type { RoomId } from '../../domain/ids.ts';
import { canGrow } from '../../domain/scope.ts';
import { type GatewayResponse, isResponse, UNKNOWN_TOKEN } from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { type RequestContext, requireRoute } from '../request/context.ts';
import { requireAccess } from '../request/access.ts';
import type { ServingEndpoint } from '../request/endpoint.ts';
import type { GatewayServices } from '../request/services.ts';
import { responseForError } from '../upstream/ask.ts';
import { missingFor, NO_QUERY } from './authorize.ts';

/**
 * Which rooms are in a scope that is looked up may have changed since. That a room is in it is not taken from
 * memory where the homeserver itself might let a non-member in: it is asked again, once a second for each grant.
 * That it is not is looked at once more before that refuses, within the grant's rate: a bridge may have made it just
 * now. What the scope refuses for other reasons is not looked at.
 */
export function lookAtRoom(
  context: RequestContext,
  services: GatewayServices,
): undefined | Promise<GatewayResponse | undefined> {
  const { endpoint, params } = requireRoute(context);
  const access = requireAccess(context);
  const { scope } = access.grant;
  if (!canGrow(scope) || !('room' in endpoint) || endpoint.room !== 'path') return undefined;
  if (endpoint.kind !== 'forward' && endpoint.kind !== 'task') return undefined;
  const room = params['roomId'] as RoomId;
  if (!access.rooms.has(room))
    return isMissing(context, endpoint) || services.roomLooks.take(access.grant.id) > 0
      ? undefined
      : lookedUp(context, services, [room]);
  // Nobody changes anything where they are not, but for joining and knocking, which look by themselves.
  if (scope.rooms !== 'all' || context.method !== 'GET') return undefined;
  if (services.memberships.isJoined(access.grant.id, room) || isMissing(context, endpoint)) return undefined;
  return confirm(context, services, room);
}

/** A capability that is missing is named before any room is looked at. */
function isMissing(context: RequestContext, endpoint: ServingEndpoint): boolean {
  const { now, body, target } = context;
  const { params } = requireRoute(context);
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
  // Not joined: what the scope opens is an invite, or nothing any more.
  if (!joined.has(room)) return lookedUp(context, services, 'again');
  // Another one was left: what speaks of many rooms has to know it too.
  if (grant.scope.by === undefined && !rooms.isSubsetOf(joined))
    services.accessControl.refreshRooms(grant.id).catch(() => undefined);
  return undefined;
}

async function lookedUp(
  context: RequestContext,
  { accessControl }: GatewayServices,
  what: readonly RoomId[] | 'again',
): Promise<GatewayResponse | undefined> {
  const { grant } = requireAccess(context);
  try {
    const access = await unlessAborted(accessControl.refreshRooms(grant.id, what), context.signal);
    if (access === null) return UNKNOWN_TOKEN;
    context.access = access;
    return undefined;
  } catch (error) {
    if (context.abortReason !== null) throw error;
    return responseForError(error);
  }
}
