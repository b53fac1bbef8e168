import type { Access, AccessControl } from '../../lifecycle/access/access-control.ts';
import {
  type GatewayResponse,
  isResponse,
  rateLimited,
  INVALID_UPSTREAM_RESPONSE,
  matrixError,
  TOO_LARGE,
  UNAVAILABLE,
  UNKNOWN_TOKEN,
} from '../http/response.ts';
import { isTokenUnknown, errcodeOf } from '../upstream/look-up.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import type { UpstreamResponse } from '../upstream/json-client.ts';
import type { OpenFile, FileClient } from '../upstream/file-client.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { failure, told, type Upstreamer } from '../upstream/ask.ts';
import { fileHeaders } from './file-head.ts';
import type { MediaGate } from './gate.ts';
import type { FileWanted } from './requests.ts';

/** What passing files on needs. Times in milliseconds. */
export type FileMeans = {
  readonly control: AccessControl;
  readonly streamer: FileClient;
  readonly gate: MediaGate;
  readonly upstreamTimeoutMs: number;
  /** How long nothing may come, or be read. */
  readonly idleTimeoutMs: number;
  /** The largest file that is passed on. */
  readonly mediaBytes: number;
};

const NOT_YET = matrixError(504, 'M_NOT_YET_UPLOADED', 'It has not been uploaded yet.');
/** What a file on its way has of the memory: what a connection and a chunk hold. */
const HELD_BYTES = 262_144;

/**
 * Fetches a file, if the grant may have it, and passes it on as it comes.
 * @param ask for finding out whether it may: bounded in bytes
 * @param signal aborted when the holder has gone or the grant is over; its reason is then thrown
 */
export async function download(
  wanted: FileWanted,
  access: Access,
  means: FileMeans,
  ask: Upstreamer,
  held: MemoryReservation,
  signal: AbortSignal,
): Promise<GatewayResponse> {
  const refused = await means.gate.fetching(access, wanted.address, ask, signal);
  if (refused !== null) return refused;
  if (!held.take(HELD_BYTES)) return rateLimited(1_000);
  try {
    const file = await fetchWithLease(wanted, access, means, signal);
    if (isResponse(file)) return file;
    if ('reply' in file) return toldOfFile(file.reply);
    const headers = [
      ...fileHeaders(file, wanted.thumbnail, wanted.name),
      ...(file.length === null ? [] : ['Content-Length', String(file.length)]),
    ];
    return {
      status: 200,
      body: null,
      file: { headers, pour: (response) => file.pour(response), drop: () => file.drop() },
    };
  } catch (error) {
    if (signal.aborted) throw error;
    return failure(error);
  }
}

async function fetchWithLease(
  { request, waitMs }: FileWanted,
  access: Access,
  means: FileMeans,
  signal: AbortSignal,
): Promise<OpenFile | { readonly reply: UpstreamResponse } | GatewayResponse> {
  const { control, streamer, upstreamTimeoutMs, idleTimeoutMs, mediaBytes: mostBytes } = means;
  const streaming = { headTimeoutMs: upstreamTimeoutMs + waitMs, idleTimeoutMs, mostBytes, signal };
  const lease = await unlessAborted(control.upstreamToken(access.grant.id), signal);
  const first = await streamer.fetch(request, lease.token, streaming);
  if ('pour' in first) return first;
  // In a box: a reply of the homeserver's looks like an answer, and none of its words may pass for one.
  if (!isTokenUnknown(first)) return { reply: first };
  const renewed = await unlessAborted(control.replaceUpstreamToken(access.grant.id, lease.leaseId), signal);
  if (renewed === 'gone') return UNKNOWN_TOKEN;
  if (renewed === 'unavailable') return UNAVAILABLE;
  const second = await streamer.fetch(request, renewed.token, streaming);
  if ('pour' in second) return second;
  return isTokenUnknown(second) ? UNAVAILABLE : { reply: second };
}

/**
 * What is told where no file came. Redirects are not followed, nor passed on: their address is signed, and
 * opens the file to anyone.
 */
function toldOfFile(reply: UpstreamResponse): GatewayResponse {
  if (reply.status === 504 && errcodeOf(reply) === 'M_NOT_YET_UPLOADED') return NOT_YET;
  if (reply.status === 413) return TOO_LARGE;
  const answer = told(reply, true);
  return isResponse(answer) ? answer : INVALID_UPSTREAM_RESPONSE;
}
