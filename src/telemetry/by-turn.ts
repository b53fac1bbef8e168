import type { DestinationStream } from 'pino';

/** Longer than that is written before the turn is over: a string must not grow without end. */
const MOST_CHARACTERS = 65_536;

/** A destination that is written to once for each turn of the event loop. */
export type ByTurn = DestinationStream & {
  /** Writes what waits, now. */
  flush(): void;
};

/**
 * Gathers what is written in one turn of the event loop, and writes it at its end: hundreds of lines are one
 * call of the system then. Nothing is kept when the process exits by itself, or by an error nobody caught.
 * @param to writes at once
 */
export function byTurn(to: DestinationStream): ByTurn {
  let waiting = '';
  let planned = false;
  const flush = (): void => {
    const text = waiting;
    waiting = '';
    if (text !== '') to.write(text);
  };
  const atTheEnd = (): void => {
    planned = false;
    flush();
  };
  process.once('exit', flush);
  return {
    write(line) {
      waiting += line;
      if (waiting.length > MOST_CHARACTERS) flush();
      else if (!planned) {
        planned = true;
        setImmediate(atTheEnd);
      }
    },
    flush,
  };
}
