import { type GatewayResponse, matrixError, USER_LOCKED } from '../http/response.ts';
import type { UpstreamResponse } from '../upstream/json-call.ts';
import { mapUpstreamError } from '../upstream/map-error.ts';
import { errcodeOf } from '../upstream/ask.ts';

/** What is not certain is not done. */
export const UNCERTAIN = matrixError(
  503,
  'M_UNKNOWN',
  'It cannot be told just now whether that may be done. Try again later.',
);

/**
 * Whether it is the homeserver's own word for "there is none". Every other absence could be a proxy's, or
 * another server's.
 */
export function isAbsent(response: UpstreamResponse): boolean {
  return response.status === 404 && errcodeOf(response) === 'M_NOT_FOUND';
}

/** The response if something that a write depends on could not be looked up. */
export function mapLookUpError(response: UpstreamResponse): GatewayResponse {
  if (errcodeOf(response) === 'M_USER_LOCKED') return USER_LOCKED;
  return response.status === 429 || response.status >= 500 || response.status === 403
    ? mapUpstreamError(response, false)
    : UNCERTAIN;
}
