import type { RoomId } from '../../domain/ids.ts';
import type { Grant } from '../../domain/grant.ts';
import type { PowerAction } from '../../domain/power.ts';
import {
  type GatewayResponse,
  FORBIDDEN,
  isResponse,
  missingCapability,
  INVALID_UPSTREAM_RESPONSE,
} from '../http/response.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';
import type { LookUp } from '../upstream/look-up.ts';
import { refusedByPower } from './power-check.ts';
import { isAbsent, mapLookUpError } from './precondition-errors.ts';
import type { Target, WriteRequest } from './write-request.ts';

const ENCRYPTION = '/_matrix/client/v3/rooms/{roomId}/state/m.room.encryption/';
const EVENT = '/_matrix/client/v3/rooms/{roomId}/event/{eventId}';
const MAX_KNOWN = 10_000;

/** What has to be looked at in the room before a write. Null: all is well. */
export type Preconditions = (
  writing: WriteRequest,
  grant: Grant,
  lookUp: LookUp,
) => Promise<GatewayResponse | null>;

/**
 * Looks at the room's encryption, at every event the write names and, where the scope has a ceiling, at the
 * room's power. What is not certain is refused. A room that was encrypted once is so for ever
 * (spec 1.19, "m.room.encryption"), so that alone is remembered.
 */
export function preconditions(): Preconditions {
  const encrypted = new Set<RoomId>();
  return async (writing, grant, lookUp) => {
    if (writing.onlyUnencrypted) {
      const refused = await refusedByEncryption(writing.roomId, lookUp);
      if (refused !== null) return refused;
    }
    const actions: PowerAction[] = [...writing.powerActions];
    for (const target of writing.targets) {
      const looked = await lookAtTarget(writing.roomId, target, lookUp);
      if (isResponse(looked)) return looked;
      actions.push(...looked.powerActions);
    }
    return refusedByPower(grant, writing.roomId, actions, lookUp);
  };

  async function refusedByEncryption(roomId: RoomId, lookUp: LookUp): Promise<GatewayResponse | null> {
    if (encrypted.has(roomId)) return missingCapability('plaintext');
    const looked = await lookUp({ method: 'GET', path: pathOf(ENCRYPTION, { roomId }), query: [] });
    if (isResponse(looked)) return looked;
    const { response } = looked;
    if (isAbsent(response)) return null;
    if (response.status !== 200) return mapLookUpError(response);
    if (encrypted.size >= MAX_KNOWN) encrypted.clear();
    encrypted.add(roomId);
    return missingCapability('plaintext');
  }
}

/** An event of another room, and one that does not exist, are refused in the same words. */
async function lookAtTarget(
  roomId: RoomId,
  { eventId, fits, takes }: Target,
  lookUp: LookUp,
): Promise<{ readonly powerActions: readonly PowerAction[] } | GatewayResponse> {
  const looked = await lookUp({ method: 'GET', path: pathOf(EVENT, { roomId, eventId }), query: [] });
  if (isResponse(looked)) return looked;
  const { response } = looked;
  if (response.status === 404 || response.status === 403) return FORBIDDEN;
  if (response.status !== 200) return mapLookUpError(response);
  const event = response.body;
  if (!isObject(event) || event['event_id'] !== eventId || event['room_id'] !== roomId) return FORBIDDEN;
  if (typeof event['sender'] !== 'string' || typeof event['type'] !== 'string')
    return INVALID_UPSTREAM_RESPONSE;
  return fits(event) ?? { powerActions: takes?.(event) ?? [] };
}
