import type { Access } from '../../lifecycle/access/access-control.ts';
import {
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  matrixError,
  rateLimited,
  TOO_LARGE,
} from '../http/response.ts';
import {
  createAsk,
  errcodeOf,
  responseForError,
  isTokenUnknown,
  type OnBehalf,
  readResponse,
  SMALL_ANSWER_BYTES,
  withLease,
} from '../upstream/ask.ts';
import type { OpenFile } from '../upstream/file-client.ts';
import type { UpstreamResponse } from '../upstream/json-call.ts';
import { fileHeaders } from './file-head.ts';
import type { MediaServices } from './media-services.ts';
import type { FileWanted } from './requests.ts';

const NOT_YET = matrixError(504, 'M_NOT_YET_UPLOADED', 'It has not been uploaded yet.');
/** What a file on its way has of the memory: what a connection and a chunk hold. */
const HELD_BYTES = 262_144;

/**
 * Fetches a file, if the grant may have it, and passes it on as it comes.
 * @throws the reason of `onBehalf.signal` when it is aborted
 */
export async function download(
  wanted: FileWanted,
  access: Access,
  services: MediaServices,
  onBehalf: OnBehalf,
): Promise<GatewayResponse> {
  const { memory, signal } = onBehalf;
  const ask = createAsk(services, onBehalf, SMALL_ANSWER_BYTES);
  const refused = await services.gate.authorizeFetch(access, wanted.address, ask, signal);
  if (refused !== null) return refused;
  if (!memory.take(HELD_BYTES)) return rateLimited(1_000);
  try {
    const fetched = await fetchFile(wanted, services, onBehalf);
    if (isResponse(fetched)) return fetched;
    // Out of its box it could pass for a response of ours.
    const { outcome } = fetched;
    if (!isFile(outcome)) return mapFileError(outcome);
    const { length } = outcome;
    const headers = [
      ...fileHeaders(outcome, wanted.thumbnail, wanted.name),
      ...(length === null ? [] : ['Content-Length', String(length)]),
    ];
    return {
      status: 200,
      body: null,
      file: { headers, pour: (response) => outcome.pour(response), drop: () => outcome.drop() },
    };
  } catch (error) {
    if (signal.aborted) throw error;
    return responseForError(error);
  }
}

type Fetched = OpenFile | UpstreamResponse;

function isFile(fetched: Fetched): fetched is OpenFile {
  return 'pour' in fetched;
}

function fetchFile(
  { request, waitMs }: FileWanted,
  services: MediaServices,
  onBehalf: OnBehalf,
): Promise<{ readonly outcome: Fetched } | GatewayResponse> {
  const { files, upstreamTimeoutMs, idleTimeoutMs, mediaBytes: mostBytes } = services;
  const { signal } = onBehalf;
  const streaming = { headTimeoutMs: upstreamTimeoutMs + waitMs, idleTimeoutMs, mostBytes, signal };
  const isRefused = (fetched: Fetched): boolean => !isFile(fetched) && isTokenUnknown(fetched);
  return withLease(services, onBehalf, isRefused, (token) => files.fetch(request, token, streaming));
}

/**
 * The response if no file came. Redirects are not followed, nor passed on: their address is
 * signed, and opens the file to anyone.
 */
function mapFileError(response: UpstreamResponse): GatewayResponse {
  if (response.status === 504 && errcodeOf(response) === 'M_NOT_YET_UPLOADED') return NOT_YET;
  if (response.status === 413) return TOO_LARGE;
  const result = readResponse(response, true);
  return isResponse(result) ? result : INVALID_UPSTREAM_RESPONSE;
}
