import type { Grant } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import { type PowerAction, parseRoomPower } from '../../domain/power.ts';
import { powerAllows } from '../../domain/scope-checks.ts';
import { type GatewayResponse, FORBIDDEN, isResponse } from '../http/response.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { LookUp } from '../upstream/look-up.ts';
import { isAbsent, mapLookUpError, UNCERTAIN } from './precondition-errors.ts';

const CREATE = '/_matrix/client/v3/rooms/{roomId}/state/m.room.create/';
const LEVELS = '/_matrix/client/v3/rooms/{roomId}/state/m.room.power_levels/';

/**
 * Refuses these actions if a ceiling of power forbids one; null: none is forbidden. The room's power is looked
 * up again each time: what changes between that and the action is not seen, and the homeserver judges the
 * subject's own power in any case. Where it cannot be looked up, nothing is done.
 */
export async function refusedByPower(
  { scope, subject }: Pick<Grant, 'scope' | 'subject'>,
  roomId: RoomId,
  actions: readonly PowerAction[],
  lookUp: LookUp,
): Promise<GatewayResponse | null> {
  if (scope.power === undefined || actions.length === 0) return null;
  const [made, levels] = await Promise.all([
    lookUp({ method: 'GET', path: pathOf(CREATE, { roomId }), query: [['format', 'event']] }),
    lookUp({ method: 'GET', path: pathOf(LEVELS, { roomId }), query: [] }),
  ]);
  if (isResponse(made)) return made;
  if (isResponse(levels)) return levels;
  if (made.response.status !== 200) return mapLookUpError(made.response);
  if (levels.response.status !== 200 && !isAbsent(levels.response)) return mapLookUpError(levels.response);
  const create = made.response.body;
  if (!isObject(create) || (create['room_id'] !== undefined && create['room_id'] !== roomId))
    return UNCERTAIN;
  const power = parseRoomPower(create, levels.response.status === 200 ? levels.response.body : null);
  if (power === null) return UNCERTAIN;
  return actions.every((action) => powerAllows(scope, subject, power, action)) ? null : FORBIDDEN;
}
