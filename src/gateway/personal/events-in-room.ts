import type { RoomId } from '../../domain/ids.ts';
import { type GatewayResponse, FORBIDDEN, isResponse } from '../http/response.ts';
import type { Tools } from '../upstream/tools.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const EVENT = '/_matrix/client/v3/rooms/{roomId}/event/{eventId}';

/**
 * Whether these events are of the room: null, or the refusal. One of another room and one that
 * does not exist are refused alike.
 */
export async function requireEventsInRoom(
  tools: Tools,
  roomId: RoomId,
  eventIds: readonly string[],
): Promise<GatewayResponse | null> {
  for (const eventId of eventIds) {
    const asked = await tools.ask(
      { method: 'GET', path: pathOf(EVENT, { roomId, eventId }), query: [] },
      true,
    );
    if (isResponse(asked)) return asked.status === 404 ? FORBIDDEN : asked;
    const event = asked.got;
    if (!isObject(event) || event['event_id'] !== eventId || event['room_id'] !== roomId) return FORBIDDEN;
  }
  return null;
}
