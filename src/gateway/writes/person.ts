import { parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import type { PowerAction } from '../../domain/power.ts';
import { type GatewayResponse, FORBIDDEN, invalid, isResponse, ok, matrixError } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import { reasonOf } from './membership.ts';
import { refusedByPower } from './power-check.ts';
import { mapLookUpError, UNCERTAIN } from './precondition-errors.ts';

/** What may be done to somebody else's membership. */
export type MembershipAction = 'invite' | 'kick' | 'ban' | 'unban';

const ACT = '/_matrix/client/v3/rooms/{roomId}/{act}';
const MEMBER = '/_matrix/client/v3/rooms/{roomId}/state/m.room.member/{userId}';
/** Invites by e-mail address or telephone number (spec 1.19, "Third-party invites"): in nobody's scope. */
const THIRD_PARTY = ['id_server', 'id_access_token', 'medium', 'address'];
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');

/**
 * What somebody's membership has to be. A kick of who is banned would lift the ban, and the lifting of a ban
 * that is none would be a kick, at homeservers that do not ask.
 */
const FROM: Readonly<Record<'kick' | 'unban', readonly unknown[]>> = {
  kick: ['join', 'invite', 'knock'],
  unban: ['ban'],
};

/**
 * Reads a request that changes somebody else's membership: by user id alone, with a reason. The subject's own
 * is never changed by it: that is `leave`.
 */
export function membershipSteps(act: MembershipAction): (call: Call) => MultiStep | GatewayResponse {
  return ({ params, body, access }) => {
    if (!isObject(body)) return NOT_AN_OBJECT;
    if (THIRD_PARTY.some((name) => Object.hasOwn(body, name))) return FORBIDDEN;
    const given = Object.hasOwn(body, 'user_id') ? body['user_id'] : undefined;
    const target = typeof given === 'string' ? parseUserId(given) : null;
    if (target === null) return invalid('user_id');
    const reason = reasonOf(body);
    if (isResponse(reason)) return reason;
    const { grant } = access;
    if (target === grant.subject) return FORBIDDEN;
    const roomId = params['roomId'] as RoomId;
    return async (tools) => {
      const otherwise =
        act === 'kick' || act === 'unban'
          ? await refusedByMembership(tools, roomId, target, FROM[act])
          : null;
      if (otherwise !== null) return otherwise;
      const action: PowerAction = act === 'invite' ? { kind: 'invite' } : { kind: act, target };
      const refused = await refusedByPower(grant, roomId, [action], tools.lookUp);
      if (refused !== null) return refused;
      const path = pathOf(ACT, { roomId, act });
      const done = await tools.change(
        { method: 'POST', path, query: [], body: { user_id: target, ...reason } },
        'writes',
        roomId,
      );
      return isResponse(done) ? done : ok({});
    };
  };
}

async function refusedByMembership(
  tools: Tools,
  roomId: RoomId,
  userId: UserId,
  from: readonly unknown[],
): Promise<GatewayResponse | null> {
  const looked = await tools.lookUp({ method: 'GET', path: pathOf(MEMBER, { roomId, userId }), query: [] });
  if (isResponse(looked)) return looked;
  const { response } = looked;
  if (response.status === 403 || response.status === 404) return FORBIDDEN;
  if (response.status !== 200) return mapLookUpError(response);
  if (!isObject(response.body)) return UNCERTAIN;
  return from.includes(response.body['membership']) ? null : FORBIDDEN;
}
