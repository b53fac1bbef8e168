/**
 * The most that is written at once, except for a single longer line: several processes may write to the same
 * pipe, and only writes up to this size are atomic (`PIPE_BUF`, pipe(7)).
 */
const MAX_BATCH_BYTES = 4_096;

/** Where lines go. */
export type LineSink = { write(line: string): unknown };

/** A sink that is written to once for each turn of the event loop. */
export type BatchedSink = LineSink & {
  /** Writes what waits, now. */
  flush(): void;
};

/**
 * Collects what is written in one turn of the event loop and writes it at the end of the turn, in one system
 * call. It is flushed when the process exits, also by an uncaught error.
 * @param to writes at once
 */
export function batchWrites(to: LineSink): BatchedSink {
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
