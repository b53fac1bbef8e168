import {
  type GatewayResponse,
  FORBIDDEN,
  rateLimited,
  INVALID_UPSTREAM_RESPONSE,
  NOT_FOUND,
  matrixError,
  UNREACHABLE,
  UNRECOGNIZED,
} from '../http/response.ts';
import { isObject } from '../filters/json-shape.ts';
import type { UpstreamResponse } from './json-call.ts';

const BAD_REQUESTS: Readonly<Record<string, string>> = {
  M_BAD_JSON: 'The homeserver does not accept the request.',
  M_NOT_JSON: 'The homeserver does not accept the request.',
  M_INVALID_PARAM: 'The homeserver does not accept a parameter of the request.',
  M_MISSING_PARAM: 'A parameter is missing.',
  M_UNKNOWN_POS: 'The position is not known any more; start again.',
  M_DUPLICATE_ANNOTATION: 'The user has reacted so already.',
  M_UNKNOWN: 'The homeserver does not accept the request.',
};
const MAX_RETRY_MS = 3_600_000;

/**
 * The homeserver's error as the holder is told it: the code, if it is one of the few that make sense here,
 * and words of our own. Nothing the homeserver wrote is passed on.
 * @param maskNotFound a refusal and an absence are the same 404
 */
export function mapUpstreamError(response: UpstreamResponse, maskNotFound: boolean): GatewayResponse {
  const code =
    isObject(response.body) && typeof response.body['errcode'] === 'string' ? response.body['errcode'] : '';
  switch (response.status) {
    case 400: {
      const words = Object.hasOwn(BAD_REQUESTS, code) ? BAD_REQUESTS[code] : undefined;
      return words === undefined
        ? matrixError(400, 'M_UNKNOWN', 'The homeserver does not accept the request.')
        : matrixError(400, code, words);
    }
    case 403:
      return maskNotFound ? NOT_FOUND : FORBIDDEN;
    case 404:
      return code === 'M_UNRECOGNIZED' && !maskNotFound ? UNRECOGNIZED : NOT_FOUND;
    case 414:
      return matrixError(414, 'M_TOO_LARGE', 'The address of the request is too long.');
    case 429:
      return rateLimited(retryAfterMs(response));
    default:
      return response.status >= 500 ? UNREACHABLE : INVALID_UPSTREAM_RESPONSE;
  }
}

function retryAfterMs(response: UpstreamResponse): number {
  const said = isObject(response.body) ? response.body['retry_after_ms'] : undefined;
  if (typeof said === 'number' && Number.isSafeInteger(said) && said >= 0)
    return Math.min(said, MAX_RETRY_MS);
  const seconds =
    response.retryAfter !== null && /^\d{1,6}$/.test(response.retryAfter) ? Number(response.retryAfter) : 1;
  return Math.min(seconds * 1_000, MAX_RETRY_MS);
}
