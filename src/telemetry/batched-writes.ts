import type { DestinationStream } from 'pino';

/**
 * No more is written at once, but for one line that is longer: several processes may write to the same pipe,
 * and only so much is sure not to be torn apart by what another writes (`PIPE_BUF`, pipe(7)).
 */
const MAX_BATCH_BYTES = 4_096;

/** A destination that is written to once for each turn of the event loop. */
export type BatchedStream = DestinationStream & {
  /** Writes what waits, now. */
  flush(): void;
};

/**
 * Gathers what is written in one turn of the event loop, and writes it at its end: dozens of lines are one
 * call of the system then. Nothing is kept when the process exits by itself, or by an error nobody caught.
 * @param to writes at once
 */
export function batchWrites(to: DestinationStream): BatchedStream {
  let waiting = '';
  let bytes = 0;
  let planned = false;
  const flush = (): void => {
    const text = waiting;
    waiting = '';
    bytes = 0;
    if (text !== '') to.write(text);
  };
  const atTheEnd = (): void => {
    planned = false;
    flush();
  };
  process.once('exit', flush);
  return {
    write(line) {
      const length = Buffer.byteLength(line);
      if (bytes + length > MAX_BATCH_BYTES) flush();
      waiting += line;
      bytes += length;
      if (bytes >= MAX_BATCH_BYTES) flush();
      else if (!planned) {
        planned = true;
        setImmediate(atTheEnd);
      }
    },
    flush,
  };
}
