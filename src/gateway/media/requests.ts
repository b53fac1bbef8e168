import { allows } from '../../domain/scope.ts';
import { type GatewayResponse, FORBIDDEN, invalid, missingCapability } from '../http/response.ts';
import type { Call, PlainRule, UpstreamRequest } from '../http/call.ts';
import { oneOf } from '../rewrite/query-rules.ts';
import { type MediaAddress, mediaAddress, segmentsOf } from '../../domain/media-address.ts';

/** A file that is asked for. */
export type FileWanted = {
  readonly address: MediaAddress;
  readonly request: UpstreamRequest;
  readonly thumbnail: boolean;
  /** The name the holder gave it. */
  readonly name: string | null;
  /** How long the homeserver may wait for it itself. */
  readonly waitMs: number;
};

/** What is uploaded: a new file, or the second half of an address that was made before. */
export type Upload = { readonly request: UpstreamRequest; readonly fills: MediaAddress | null };

const FILES = '/_matrix/client/v1/media';
const UPLOADS = '/_matrix/media/v3/upload';
const MAX_WAIT_MS = 20_000;
const MAX_SIDE = 2_048;

const side: PlainRule = (value) =>
  /^[1-9]\d{0,3}$/.test(value) ? String(Math.min(Number(value), MAX_SIDE)) : null;
const THUMBNAIL = {
  width: side,
  height: side,
  method: oneOf('crop', 'scale'),
  animated: oneOf('true', 'false'),
};

/** `media` and `read` open what is shown, `media-any` all; which of them, the gate looks at. */
export function mayFetch({ access: { grant } }: Call): GatewayResponse | null {
  return allows(grant.scope, 'media') || allows(grant.scope, 'media-any') ? null : missingCapability('media');
}

/** Whether the scope lets files be uploaded. */
export function mayUpload({ access: { grant } }: Call): GatewayResponse | null {
  return allows(grant.scope, 'upload') ? null : missingCapability('upload');
}

/** Reads a download. An address that nothing could have is refused as one that nothing shows. */
export function downloadOf(call: Call): FileWanted | GatewayResponse {
  return wanted(call, 'download', {}, []);
}

/** Reads a thumbnail's request. The size is bounded: the homeserver may have to make it. */
export function thumbnailOf(call: Call): FileWanted | GatewayResponse {
  return wanted(call, 'thumbnail', THUMBNAIL, ['width', 'height']);
}

function wanted(
  call: Call,
  what: 'download' | 'thumbnail',
  rules: Readonly<Record<string, PlainRule>>,
  needed: readonly string[],
): FileWanted | GatewayResponse {
  const address = addressOf(call);
  if (address === null) return FORBIDDEN;
  const missing = needed.find((name) => !call.query.has(name));
  if (missing !== undefined) return invalid(missing);
  const wait = call.query.get('timeout_ms') ?? String(MAX_WAIT_MS);
  if (!/^\d{1,9}$/.test(wait)) return invalid('timeout_ms');
  const waitMs = Math.min(Number(wait), MAX_WAIT_MS);
  const query: [string, string][] = [['timeout_ms', String(waitMs)]];
  for (const [name, rule] of Object.entries(rules)) {
    const value = call.query.get(name);
    if (value === undefined) continue;
    const rebuilt = rule(value, call);
    if (rebuilt === null) return invalid(name);
    query.push([name, rebuilt]);
  }
  const request: UpstreamRequest = { method: 'GET', path: `${FILES}/${what}/${segmentsOf(address)}`, query };
  return { address, request, thumbnail: what === 'thumbnail', name: call.params['fileName'] ?? null, waitMs };
}

/** Reads an upload, of a new file or to an address. The name is dropped. */
export function uploadOf(call: Call): Upload | GatewayResponse {
  if (call.params['mediaId'] === undefined)
    return { request: { method: 'POST', path: UPLOADS, query: [] }, fills: null };
  const fills = addressOf(call);
  if (fills === null) return FORBIDDEN;
  return { request: { method: 'PUT', path: `${UPLOADS}/${segmentsOf(fills)}`, query: [] }, fills };
}

/** An address to upload to later. */
export const CREATE: UpstreamRequest = { method: 'POST', path: '/_matrix/media/v1/create', query: [] };

function addressOf({ params }: Call): MediaAddress | null {
  return mediaAddress(params['serverName'] ?? '', params['mediaId'] ?? '');
}
