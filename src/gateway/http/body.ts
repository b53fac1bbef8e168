import type { IncomingMessage } from 'node:http';
import { type GatewayResponse, matrixError, TOO_LARGE } from './response.ts';

const ENCODED = matrixError(415, 'M_UNKNOWN', 'The body must not be compressed.');
const CUT_OFF = matrixError(400, 'M_UNKNOWN', 'The body ended too early.');

const NONE = Buffer.alloc(0);

/** Whether a request has a body. RFC 9112, 6.3: with neither header it has none. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  return length !== '0' || encoding !== undefined;
}

/**
 * The bytes of a request's body, at most `limit`. What is refused is not read to its end; where there is
 * none, nothing is waited for.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
): Buffer | GatewayResponse | Promise<Buffer | GatewayResponse> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return ENCODED;
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limit) return TOO_LARGE;
  if (!hasBody(request)) return NONE;
  return readToEnd(request, limit);
}

async function readToEnd(request: IncomingMessage, limit: number): Promise<Buffer | GatewayResponse> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return TOO_LARGE;
      chunks.push(chunk);
    }
  } catch {
    return CUT_OFF;
  }
  return Buffer.concat(chunks, size);
}
