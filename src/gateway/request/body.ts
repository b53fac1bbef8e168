import type { IncomingMessage } from 'node:http';
import { type Answer, refusal, TOO_LARGE } from '../answer.ts';

const ENCODED = refusal(415, 'M_UNKNOWN', 'The body must not be compressed.');
const CUT_OFF = refusal(400, 'M_UNKNOWN', 'The body ended too early.');

/** The bytes of a request's body, at most `limit`. What is refused is not read to its end. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | Answer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return ENCODED;
  if (Number(request.headers['content-length'] ?? 0) > limit) return TOO_LARGE;
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
