import { MARGIN_SECONDS } from '../../../../src/gateway/upstream/transport/lean-transport.ts';
import { ResponseReader } from '../../../../src/gateway/upstream/transport/response-reader.ts';
import type { ResponseHead } from '../../../../src/gateway/upstream/transport/transport.ts';
import type { Outcome } from './answers.ts';

/** What an answer came to, read without a socket. */
export type Read = {
  readonly outcome: Outcome;
  readonly head: ResponseHead | null;
  /** Whether more came after its end. */
  readonly surplus: boolean;
  /** Whether the connection could be used again. */
  readonly reusable: boolean;
  readonly calls: readonly string[];
  /** Why it is refused, or not whole. */
  readonly why: string;
};

/** As the socket does: one buffer for every read. */
const buffer = Buffer.alloc(128 * 1_024);

/** Reads an answer that comes in these parts. */
export function readIn(parts: readonly Uint8Array[]): Read {
  const reader = new ResponseReader();
  const calls: string[] = [];
  let head: ResponseHead | null = null;
  let body = '';
  reader.begin({
    onStart() {},
    onHead(told) {
      calls.push('head');
      head = told;
    },
    onData(chunk) {
      calls.push('data');
      body += chunk.toString('latin1');
    },
    onEnd() {},
    onError() {},
  });
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array;
    // What is left of earlier reads must not be taken for anything.
    buffer.fill(0x41, 0, part.length + 64);
    buffer.set(part);
    const progress = reader.read(buffer, part.length);
    if (progress === 'more') continue;
    calls.push(progress);
    const surplus = progress === 'ended' && parts.slice(index + 1).some(({ length }) => length > 0);
    const outcome =
      progress === 'refused' ? progress : { status: (head as ResponseHead | null)?.status ?? 0, body };
    return {
      outcome,
      head,
      surplus,
      reusable: reader.keptForSeconds > MARGIN_SECONDS,
      calls,
      why: reader.refusal,
    };
  }
  return { outcome: 'waits', head, surplus: false, reusable: false, calls, why: 'It is not whole.' };
}
