import type { Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import { type PowerAction, parseRoomPower } from '../../domain/power.ts';
import { powerAllows } from '../../domain/scope-checks.ts';
import { type GatewayResponse, FORBIDDEN, isResponse } from '../http/response.ts';
import type { UpstreamRequest } from '../http/call.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { LookUpResult } from '../upstream/look-up.ts';
import { isAbsent, mapLookUpError, UNCERTAIN } from './precondition-errors.ts';

const CREATE = '/_matrix/client/v3/rooms/{roomId}/state/m.room.create/';
const LEVELS = '/_matrix/client/v3/rooms/{roomId}/state/m.room.power_levels/';

/**
 * Whether a ceiling of power stands against these deeds. Null: nothing does. The room's power is looked up
 * anew each time: what changes between that and the deed is not seen, and the homeserver judges the
 * subject's own power in any case. Where it cannot be looked up, nothing is done.
 */
export async function refusedByPower(
  { scope, subject }: Pick<Grant, 'scope' | 'subject'>,
  roomId: RoomId,
  deeds: readonly PowerAction[],
  ask: (request: UpstreamRequest) => Promise<LookUpResult>,
): Promise<GatewayResponse | null> {
  if (scope.power === undefined || deeds.length === 0) return null;
  const [made, standing] = await Promise.all([
    ask({ method: 'GET', path: pathOf(CREATE, { roomId }), query: [['format', 'event']] }),
    ask({ method: 'GET', path: pathOf(LEVELS, { roomId }), query: [] }),
  ]);
  if (isResponse(made)) return made;
  if (isResponse(standing)) return standing;
  if (made.reply.status !== 200) return mapLookUpError(made.reply);
  if (standing.reply.status !== 200 && !isAbsent(standing.reply)) return mapLookUpError(standing.reply);
  const create = made.reply.body;
  if (!isObject(create) || (create['room_id'] !== undefined && create['room_id'] !== roomId))
    return UNCERTAIN;
  const power = parseRoomPower(create, standing.reply.status === 200 ? standing.reply.body : null);
  if (power === null) return UNCERTAIN;
  return deeds.every((deed) => powerAllows(scope, subject, power, deed)) ? null : FORBIDDEN;
}
