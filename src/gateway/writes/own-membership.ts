import type { RoomId } from '../../domain/ids.ts';
import { allows } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import { alreadyJoinedFilter } from '../filters/account.ts';
import { isObject, type JsonObject, requireObject } from '../filters/json-shape.ts';
import { holds } from '../filters/read-view.ts';
import type { Call } from '../http/call.ts';
import {
  FORBIDDEN,
  type GatewayResponse,
  invalid,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  missingCapability,
  ok,
} from '../http/response.ts';
import { PROFILE_GRAMMAR } from '../personal/profile.ts';
import { pathOf } from '../rewrite/path.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { isEventId } from './content-rules.ts';
import { reasonOf } from './membership.ts';
import { mapLookUpError } from './precondition-errors.ts';
import { maySetState } from './state.ts';

const MEMBER = '/_matrix/client/v3/rooms/{roomId}/state/m.room.member/{me}';
/** What a membership shows of the profile (spec 1.19, `m.room.member`). */
const FIELDS = ['displayname', 'avatar_url'] as const;

/**
 * Whether the scope lets the subject's own membership be written at all: to join, or to be told of it. Another's is
 * state like any other, which no scope lets be set.
 */
export function mayJoinByState(call: Call): GatewayResponse | null {
  const { scope, subject } = call.access.grant;
  const { userId = '' } = call.params;
  if (userId !== subject)
    return maySetState({ ...call, params: { eventType: 'm.room.member', stateKey: userId } });
  return typeAllowed(scope, 'read', 'm.room.member') || allows(scope, 'join')
    ? null
    : missingCapability('read');
}

/**
 * Reads a join that is written as the subject's own membership: mautrix's double puppets know no other. It is the
 * same as `POST …/join`: nothing happens where the subject is joined, otherwise it takes `join`. The name and
 * picture beside it are for this room, and take `profile`; without it they are left out, and the homeserver takes
 * the subject's own.
 */
export function joinByStateSteps({ params, body, access }: Call): MultiStep | GatewayResponse {
  if (!isObject(body) || body['membership'] !== 'join') return FORBIDDEN;
  const roomId = params['roomId'] as RoomId;
  const { scope, subject } = access.grant;
  const reason = reasonOf(body);
  if (isResponse(reason)) return reason;
  const profile = holds(scope, 'profile') ? profileIn(body) : {};
  if (isResponse(profile)) return profile;
  const path = pathOf(MEMBER, { roomId, me: subject });
  return async (tools) => {
    const looked = await tools.lookUp({ method: 'GET', path, query: [['format', 'event']] });
    if (isResponse(looked)) return looked;
    const { status, body: member } = looked.response;
    if (status === 200) {
      const told = alreadyJoinedFilter(roomId)(member, access.rooms);
      if (told.status === 200) {
        // Once the subject has left, writing a name would be a join.
        if (!allows(scope, 'join') || shows(member, profile)) return told;
      } else if (!allows(scope, 'join')) return missingCapability('join');
    } else if (status !== 403 && status !== 404) return mapLookUpError(looked.response);
    else if (!allows(scope, 'join')) return missingCapability('join');
    const content = { membership: 'join', ...profile, ...reason };
    const done = await tools.changeMembership({ method: 'PUT', path, query: [], body: content }, roomId);
    if (isResponse(done)) return done;
    await tools.refreshRooms(null);
    const { event_id: eventId } = requireObject(done.got, 'answer');
    return isEventId(eventId) ? ok({ event_id: eventId }) : INVALID_UPSTREAM_RESPONSE;
  };
}

/** The name and picture that are given, or why they are not taken. */
function profileIn(body: JsonObject): JsonObject | GatewayResponse {
  const given: Record<string, string> = {};
  for (const field of FIELDS) {
    const value = Object.hasOwn(body, field) ? body[field] : undefined;
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || !PROFILE_GRAMMAR[field](value)) return invalid(field);
    given[field] = value;
  }
  return given;
}

/** Whether a member event says so already. */
function shows(member: unknown, profile: JsonObject): boolean {
  const content = isObject(member) && isObject(member['content']) ? member['content'] : {};
  return Object.entries(profile).every(([field, value]) => content[field] === value);
}
