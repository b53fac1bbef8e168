import type { ServerResponse } from 'node:http';
import { hasBody } from './body.ts';
import type { GatewayResponse, FileBody } from './response.ts';
import { isObject } from '../../domain/json.ts';

/** Spec 1.19, "Web browser clients". */
const CORS = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Allow-Methods',
  'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers',
  'X-Requested-With, Content-Type, Authorization',
  'Access-Control-Expose-Headers',
  'Retry-After, WWW-Authenticate',
] as const;

const ALWAYS: readonly string[] = [
  'Content-Length',
  '0',
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
  ...CORS,
];
const LENGTH_AT = 1;

/**
 * Writes an answer in one piece. Every header is made here.
 * @param readTimeoutMs ends the connection where nothing of it is read for so long
 */
export function writeResponse(
  response: ServerResponse,
  answer: GatewayResponse,
  readTimeoutMs: number,
): void {
  if (response.headersSent || response.destroyed) return answer.file?.drop();
  if (answer.file !== undefined) return writeFile(response, answer.file, readTimeoutMs);
  const body = answer.serialized ?? JSON.stringify(answer.body);
  const length = typeof body === 'string' ? Buffer.byteLength(body) : totalLength(body);
  const headers = answer.status === 200 ? ALWAYS.slice() : [...ALWAYS, ...more(answer)];
  headers[LENGTH_AT] = String(length);
  response.writeHead(answer.status, headers);
  const isUnread = !response.req.complete && answer.closeConnection !== true && hasBody(response.req);
  if (isUnread || typeof body !== 'string')
    writePieces(response, typeof body === 'string' ? [body] : body, isUnread);
  // A text goes out together with its head.
  else if (length === body.length) response.end(body, 'latin1');
  else response.end(body);
  // Nobody has to wait for what the system has taken whole; an answer behind another one (pipelining) is not
  // written yet.
  if (response.socket === null || response.socket.writableLength > 0) response.setTimeout(readTimeoutMs);
}

function totalLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** @param isUnread the request's body is not there yet */
function writePieces(
  response: ServerResponse,
  pieces: readonly (Uint8Array | string)[],
  isUnread: boolean,
): void {
  response.cork();
  for (const piece of pieces) if (piece.length > 0) response.write(piece);
  if (isUnread) endOnceRead(response);
  else response.end();
  response.uncork();
}

/**
 * Ends an answer that is there before the request's body is: the rest of that is read and dropped, and the response
 * ends with it. A connection that is closed before would be reset, and the answer lost (RFC 9112, 9.6). The
 * request's own clock bounds it.
 */
function endOnceRead(response: ServerResponse): void {
  const { req: request } = response;
  request.once('end', () => response.end());
  request.once('close', () => response.end());
  request.resume();
}

/** Writes a file's head, and has its bytes follow as they are read. */
function writeFile(response: ServerResponse, file: FileBody, readTimeoutMs: number): void {
  response.setTimeout(readTimeoutMs);
  response.writeHead(200, [...file.headers, ...CORS]);
  if (response.req.method !== 'HEAD') return file.pour(response);
  response.end();
  file.drop();
}

/** Answers a browser's preflight: it carries no token, and learns nothing. */
export function writePreflight(response: ServerResponse): void {
  response.writeHead(204, [...CORS, 'Access-Control-Max-Age', '86400']);
  response.end();
}

/** The headers that some refusals have. */
function more(answer: GatewayResponse): readonly string[] {
  return [
    ...retryAfter(answer),
    ...challenge(answer),
    ...(answer.status === 405 ? ['Allow', [...(answer.allow ?? METHODS), 'OPTIONS'].join(', ')] : []),
    ...(answer.status === 413 || answer.status === 415 || answer.closeConnection === true
      ? ['Connection', 'close']
      : []),
  ];
}

/** RFC 9110, 15.5.6: a 405 says which methods there are. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/**
 * RFC 6750, 3: every 401 has one, with an error only where a token was shown. The names of capabilities need
 * no quoting.
 */
function challenge({ status, body, missingCapability: lacks }: GatewayResponse): readonly string[] {
  if (lacks !== undefined) return ['WWW-Authenticate', `Bearer error="insufficient_scope", scope="${lacks}"`];
  if (status !== 401) return [];
  const shown = isObject(body) && body['errcode'] !== 'M_MISSING_TOKEN';
  return ['WWW-Authenticate', shown ? 'Bearer error="invalid_token"' : 'Bearer'];
}

function retryAfter({ status, body }: GatewayResponse): readonly string[] {
  if (status !== 429 || typeof body !== 'object' || body === null || !('retry_after_ms' in body)) return [];
  return ['Retry-After', String(Math.ceil(Number(body.retry_after_ms) / 1_000))];
}
