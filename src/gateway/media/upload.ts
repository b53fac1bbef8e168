import type { IncomingMessage } from 'node:http';
import { isObject } from '../../domain/json.ts';
import { type MediaAddress, parseMediaAddress } from '../../domain/media-address.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import {
  FORBIDDEN,
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  matrixError,
  ok,
  rateLimited,
  TOO_LARGE,
  UNAVAILABLE,
  UNKNOWN_TOKEN,
} from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { errcodeOf, responseForError, isTokenUnknown, type OnBehalf, readResponse } from '../upstream/ask.ts';
import type { UpstreamResponse } from '../upstream/json-call.ts';
import type { MediaServices } from './media-services.ts';
import type { Upload } from './requests.ts';

const NO_LENGTH = matrixError(411, 'M_UNKNOWN', 'Say how long the file is, in Content-Length.');
const ENCODED = matrixError(415, 'M_UNKNOWN', 'The body must not be compressed.');
const CUT_OFF = matrixError(408, 'M_UNKNOWN', 'The file did not come to its end in time.');
const FILLED = matrixError(409, 'M_CANNOT_OVERWRITE_MEDIA', 'There is a file at this address already.');
const HELD_BYTES = 262_144;

/**
 * Passes a file on to the homeserver as it comes. It is asked nothing before length, rate and address are
 * found good, and is sent once: where the lease had died, the holder is told to try again.
 * @throws the reason of `onBehalf.signal` when it is aborted; the homeserver is left with half a file, which it
 *   drops
 */
export async function upload(
  { request, fills }: Upload,
  access: Access,
  services: MediaServices,
  body: IncomingMessage,
  onBehalf: OnBehalf,
): Promise<GatewayResponse> {
  const { accessControl, files, uploadBytes, rateLimiter, idleTimeoutMs } = services;
  const { uploads } = services.gate;
  const { memory, signal } = onBehalf;
  const { id: grantId } = access.grant;
  if (fills !== null && !uploads.mayFill(grantId, fills)) return FORBIDDEN;
  const encoding = body.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return ENCODED;
  const length = body.headers['content-length'];
  if (length === undefined || !/^\d{1,15}$/.test(length)) return NO_LENGTH;
  if (Number(length) > uploadBytes) return TOO_LARGE;
  const waitMs = await rateLimiter.take(grantId);
  if (waitMs > 0 || !memory.take(HELD_BYTES)) return rateLimited(Math.max(waitMs, 1_000));
  try {
    const lease = await unlessAborted(accessControl.upstreamToken(grantId), signal);
    // Made out for this one request, like an address: another upload to it is another request's.
    if (fills !== null) uploads.uploaded(grantId, fills);
    const sending = { body, length: Number(length), type: typeOf(body.headers['content-type']) };
    const response = await files.send(request, lease.token, sending, {
      headTimeoutMs: services.upstreamTimeoutMs,
      idleTimeoutMs,
      mostBytes: 0,
      signal,
    });
    if (isTokenUnknown(response)) {
      if (fills !== null) uploads.created(grantId, fills);
      return (await unlessAborted(accessControl.replaceUpstreamToken(grantId, lease.leaseId), signal)) ===
        'gone'
        ? UNKNOWN_TOKEN
        : UNAVAILABLE;
    }
    return outcome(response, (address) => uploads.uploaded(grantId, address), fills);
  } catch (error) {
    if (signal.aborted) throw error;
    return body.complete ? responseForError(error) : CUT_OFF;
  }
}

function outcome(
  response: UpstreamResponse,
  uploaded: (address: MediaAddress) => void,
  fills: MediaAddress | null,
): GatewayResponse {
  if (response.status === 413) return TOO_LARGE;
  if (response.status === 409 && errcodeOf(response) === 'M_CANNOT_OVERWRITE_MEDIA') return FILLED;
  const answer = readResponse(response, false);
  if (isResponse(answer)) return answer;
  if (fills !== null) return ok({});
  const address = addressIn(answer.got);
  if (address === null) return INVALID_UPSTREAM_RESPONSE;
  uploaded(address);
  return ok({ content_uri: address });
}

/** The address in an answer to an upload, or to the making of one. */
export function addressIn(body: unknown): MediaAddress | null {
  const said = isObject(body) ? body['content_uri'] : undefined;
  return typeof said === 'string' ? parseMediaAddress(said) : null;
}

const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;

/**
 * The type as it is stored: no parameters, and none that a server would take the body apart for (Synapse did
 * so with forms, in memory: CVE-2024-52805).
 */
function typeOf(said: string | undefined): string {
  const plain = (said ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const form =
    plain.startsWith('multipart/') ||
    plain === 'application/x-www-form-urlencoded' ||
    plain.startsWith('message/');
  return TYPE.test(plain) && !form ? plain : 'application/octet-stream';
}
