import { type GatewayResponse, invalid, isResponse, NOT_FOUND, ok, matrixError } from '../http/response.ts';
import type { Call } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import { PROFILE_FIELDS } from '../filters/profile.ts';
import { isObject } from '../filters/json-shape.ts';
import { pathOf } from '../rewrite/path.ts';

const FIELD = '/_matrix/client/v3/profile/{me}/{field}';
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');
/** Time zones have names of letters (IANA); a profile is shown to anybody. */
const ZONE = fits(/^[A-Za-z0-9_+/-]+$/, 64);

/** Whether a text may be a field of a profile. */
export const PROFILE_GRAMMAR = {
  displayname: fits(/^[^\p{Cc}]*$/u, 256),
  avatar_url: fits(/^(?:mxc:\/\/[A-Za-z0-9.\-[\]:]+\/[A-Za-z0-9_.=+-]+)?$/, 1_000),
  'm.tz': ZONE,
  'us.cloke.msc4175.tz': ZONE,
} as const;

function fits(grammar: RegExp, maxLength: number): (text: string) => boolean {
  return (text) => text.length <= maxLength && grammar.test(text);
}

/**
 * Reads a request to set a field of the subject's own profile. Fields that nobody decided about are refused.
 */
export function setProfileFieldSteps({ params, body, access }: Call): MultiStep | GatewayResponse {
  const field = fieldOf(params);
  if (field === null) return NOT_FOUND;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const value = body[field];
  if (typeof value !== 'string' || !PROFILE_GRAMMAR[field](value)) return invalid(field);
  return changing(access.grant.subject, field, { [field]: value });
}

/** Reads a request to take a field away from the subject's own profile. */
export function deleteProfileFieldSteps({ params, access }: Call): MultiStep | GatewayResponse {
  const field = fieldOf(params);
  return field === null ? NOT_FOUND : changing(access.grant.subject, field, null);
}

function fieldOf(params: Call['params']): (typeof PROFILE_FIELDS)[number] | null {
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
