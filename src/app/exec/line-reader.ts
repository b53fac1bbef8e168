import type { Socket } from 'node:net';
import { MintwardenError } from '../../domain/errors.ts';

const LINE_FEED = 0x0a;

/** Whole lines from a socket, one at a time. What is not closed by a line feed is never given. */
export type LineReader = {
  /**
   * The next line; null where the other side ended without one.
   * @throws MintwardenError `usage` for one that is too long or no UTF-8, `conflict` where none came in time
   */
  next(timeoutMs: number): Promise<string | null>;
};

/**
 * Reads lines of at most so many bytes. No more is read ahead than the line that is asked for needs, but for
 * what came in the same piece.
 */
export function createLineReader(socket: Socket, maxBytes: number): LineReader {
  let pieces: Buffer[] = [];
  let size = 0;
  let ended = false;
  let wake = (): void => {};
  const notice = (): void => wake();
  socket.pause();
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
    if (piece.includes(LINE_FEED) || size > maxBytes) socket.pause();
    notice();
  });
  for (const event of ['end', 'close', 'error'] as const) {
    socket.on(event, () => {
      ended = true;
      notice();
    });
  }

  function taken(): string | undefined {
    if (size <= maxBytes && !pieces.some((piece) => piece.includes(LINE_FEED))) return undefined;
    const all = Buffer.concat(pieces);
    const end = all.indexOf(LINE_FEED);
    if (end === -1 || end > maxBytes)
      throw new MintwardenError('usage', `A line is longer than ${String(maxBytes)} bytes.`);
    const rest = all.subarray(end + 1);
    pieces = rest.length === 0 ? [] : [rest];
    size = rest.length;
    return decodeUtf8(all.subarray(0, end));
  }

  return {
    async next(timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const line = taken();
        if (line !== undefined) return line;
        if (ended) return null;
        const left = deadline - performance.now();
        if (left <= 0) throw new MintwardenError('conflict', 'Nothing came for too long.', 'Try again.');
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, left);
        socket.resume();
        await promise;
        clearTimeout(timer);
      }
    },
  };
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new MintwardenError('usage', 'A line is no UTF-8.', null, { cause: error });
  }
}
