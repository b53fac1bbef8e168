import { type GatewayResponse, invalid, isResponse, NOT_FOUND, ok, matrixError } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { PROFILE_FIELDS } from '../filters/profile.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const FIELD = '/_matrix/client/v3/profile/{me}/{field}';
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');
const MAX_LENGTH: Readonly<Record<string, number>> = { displayname: 256, avatar_url: 1_000 };
/** Time zones have names of letters (IANA); a profile is shown to anybody. */
const GRAMMAR: Readonly<Record<string, RegExp>> = {
  displayname: /^[^\p{Cc}]*$/u,
  avatar_url: /^(?:mxc:\/\/[A-Za-z0-9.\-[\]:]+\/[A-Za-z0-9_.=+-]+)?$/,
  'm.tz': /^[A-Za-z0-9_+/-]+$/,
  'us.cloke.msc4175.tz': /^[A-Za-z0-9_+/-]+$/,
};

/**
 * Reads a request to set a field of the subject's own profile. Fields that nobody decided about are refused.
 */
export function setProfileFieldSteps({ params, body, access }: Call): MultiStep | GatewayResponse {
  const field = fieldOf(params);
  if (field === null) return NOT_FOUND;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const value = body[field];
  if (
    typeof value !== 'string' ||
    value.length > (MAX_LENGTH[field] ?? 64) ||
    GRAMMAR[field]?.test(value) !== true
  )
    return invalid(field);
  return changing(access.grant.subject, field, { [field]: value });
}

/** Reads a request to take a field away from the subject's own profile. */
export function deleteProfileFieldSteps({ params, access }: Call): MultiStep | GatewayResponse {
  const field = fieldOf(params);
  return field === null ? NOT_FOUND : changing(access.grant.subject, field, null);
}

function fieldOf(params: Call['params']): string | null {
  return PROFILE_FIELDS.find((field) => field === params['keyName']) ?? null;
}

/** Every room the subject is in sees it: it counts as a write. */
function changing(me: string, field: string, body: Readonly<Record<string, string>> | null): MultiStep {
  const path = pathOf(FIELD, { me, field });
  return async (tools) => {
    const request =
      body === null
        ? ({ method: 'DELETE', path, query: [] } as const)
        : ({ method: 'PUT', path, query: [], body } as const);
    const asked = await tools.change(request, 'writes', null);
    return isResponse(asked) ? asked : ok({});
  };
}
