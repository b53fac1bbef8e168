import { type GatewayResponse, invalid, isResponse, ok, matrixError } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { PRESENCES } from '../filters/presence.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const STATUS = '/_matrix/client/v3/presence/{me}/status';
const MAX_WORDS = 250;
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');

/** Reads a request to show the subject as there or not, with some words. */
export function setPresenceSteps({ body, access }: Call): MultiStep | GatewayResponse {
  if (!isObject(body)) return NOT_AN_OBJECT;
  const { presence, status_msg: words } = body;
  if (typeof presence !== 'string' || !PRESENCES.includes(presence)) return invalid('presence');
  if (words !== undefined && words !== null && (typeof words !== 'string' || words.length > MAX_WORDS))
    return invalid('status_msg');
  const told = typeof words === 'string' ? { presence, status_msg: words } : { presence };
  const path = pathOf(STATUS, { me: access.grant.subject });
  return async (tools) => {
    const asked = await tools.change({ method: 'PUT', path, query: [], body: told }, 'writes', null);
    return isResponse(asked) ? asked : ok({});
  };
}
