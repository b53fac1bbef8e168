import type { ServerResponse } from 'node:http';
import type { Answer, AnswerFile } from '../answer.ts';

/** Spec 1.19, "Web browser clients". */
const CORS = [
  'Access-Control-Allow-Origin', '*',
  'Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers', 'X-Requested-With, Content-Type, Authorization',
  'Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate',
] as const; // prettier-ignore

const ALWAYS = [
  'Content-Type', 'application/json',
  'Cache-Control', 'no-store',
  'X-Content-Type-Options', 'nosniff',
  ...CORS,
] as const; // prettier-ignore

/**
 * Writes an answer in one piece. Every header is made here.
 * @param readTimeoutMs ends the connection where nothing of it is read for so long
 */
export function writeAnswer(response: ServerResponse, answer: Answer, readTimeoutMs: number): void {
  if (response.headersSent || response.destroyed) return answer.file?.drop();
  if (answer.file !== undefined) return writeFile(response, answer.file, readTimeoutMs);
  // A text goes out together with its head; bytes would be a second piece.
  const body = answer.written ?? JSON.stringify(answer.body);
  const length = Buffer.byteLength(body);
  response.setTimeout(readTimeoutMs);
  response.writeHead(answer.status, ['Content-Length', String(length), ...(answer.status === 200 ? ALWAYS : [...ALWAYS, ...more(answer)])]);
  if (length === body.length) response.end(body, 'latin1');
  else response.end(body);
}

/** Writes a file's head, and has its bytes follow as they are read. */
function writeFile(response: ServerResponse, file: AnswerFile, readTimeoutMs: number): void {
  response.setTimeout(readTimeoutMs);
  response.writeHead(200, [...file.headers, ...CORS]);
  file.pour(response);
}

/** Answers a browser's preflight: it carries no token, and learns nothing. */
export function writePreflight(response: ServerResponse): void {
  response.writeHead(204, [...CORS, 'Access-Control-Max-Age', '86400']);
  response.end();
}

/** The headers that some refusals have. */
function more(answer: Answer): readonly string[] {
  return [
    ...retryAfter(answer),
    ...challenge(answer),
    ...(answer.status === 413 || answer.status === 415 || answer.closes === true ? ['Connection', 'close'] : []),
  ];
}

/** RFC 6750, 3.1. The names of capabilities need no quoting. */
function challenge({ lacks }: Answer): readonly string[] {
  return lacks === undefined ? [] : ['WWW-Authenticate', `Bearer error="insufficient_scope", scope="${lacks}"`];
}

function retryAfter({ status, body }: Answer): readonly string[] {
  if (status !== 429 || typeof body !== 'object' || body === null || !('retry_after_ms' in body)) return [];
  return ['Retry-After', String(Math.ceil(Number(body.retry_after_ms) / 1_000))];
}
