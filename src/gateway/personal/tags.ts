import type { RoomId } from '../../domain/ids.ts';
import { type GatewayResponse, FORBIDDEN, invalid, isResponse, ok, matrixError } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const TAG = '/_matrix/client/v3/user/{me}/rooms/{roomId}/tags/{tag}';
/**
 * Tags that only sort (spec 1.19, "Room tagging"): the user's own, and two of the specification's. Clients act on
 * others: `m.server_notice` makes a room look official.
 */
const TAGS = /^(?:m\.favourite|m\.lowpriority|u\..+)$/s;
/** Spec 1.19, "Room tagging". */
const MAX_TAG_BYTES = 255;
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');

/** Reads a request to tag a room: its order alone is passed on. */
export function setTagSteps(call: Call): MultiStep | GatewayResponse {
  const { body = {} } = call;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const { order } = body;
  if (order !== undefined && typeof order !== 'number') return invalid('order');
  return changing(call, 'PUT', order === undefined ? {} : { order });
}

/** Reads a request to take a tag off a room. */
export function deleteTagSteps(call: Call): MultiStep | GatewayResponse {
  return changing(call, 'DELETE');
}

function changing(
  { params, access }: Call,
  method: 'PUT' | 'DELETE',
  body?: { readonly order?: number },
): MultiStep | GatewayResponse {
  const { tag = '' } = params;
  const roomId = (params['roomId'] ?? '') as RoomId;
  if (Buffer.byteLength(tag) > MAX_TAG_BYTES) return invalid('tag');
  if (!TAGS.test(tag)) return FORBIDDEN;
  const path = pathOf(TAG, { me: access.grant.subject, roomId, tag });
  const request = { method, path, query: [], ...(body === undefined ? {} : { body }) };
  return async (tools) => {
    const asked = await tools.change(request, 'personal', roomId);
    return isResponse(asked) ? asked : ok({});
  };
}
