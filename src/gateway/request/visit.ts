import type { ServerResponse } from 'node:http';
import type { GrantId } from '../../domain/ids.ts';

/** The reason a request is aborted with whose holder left before it was answered. */
export const GONE: Error = Object.freeze(new Error('the holder has gone'));
/** The reason a request of a grant that is over is aborted with. */
export const OVER: Error = Object.freeze(new Error('the grant is over'));

/** What is known of a request so far; it is told also where no answer comes of it. */
export type Known = { operation: string; grantId: GrantId | null };

/** Where time went, in milliseconds; it is added to as the request goes on. */
export type Times = { homeserverMs: number };

/** One holder's request, until its answer was read or they have gone. */
export interface Visit {
  /**
   * Aborted when the holder has gone before the end (`GONE`), or the grant is over (`OVER`). Never by an
   * answer that was read.
   */
  readonly signal: AbortSignal;
  /** How long the homeserver has taken for it so far. */
  readonly times: Times;
  readonly known: Known;
  /**
   * The grant is over: whatever is done for the request ends, and what is not read of its answer never is.
   */
  cut(): void;
  /**
   * Has this called once, when the answer was read or the holder has gone. Only the last one given counts.
   */
  whenLeft(listener: () => void): void;
  /** The request's body may take its time: it is a file. */
  patient(): void;
}

/**
 * The visit that a response belongs to.
 * @param bodyTimeoutMs ends the connection where the request's body has not come by then
 */
export function visitOf(response: ServerResponse, bodyTimeoutMs: number): Visit {
  const abort = new AbortController();
  const timer = bodyTimer(response, bodyTimeoutMs);
  let onLeft: (() => void) | null = null;
  response.once('close', () => {
    // Answered early, the rest of it would come for as long as it likes.
    if (response.req.complete) clearTimeout(timer);
    onLeft?.();
    onLeft = null;
    // Nothing goes on for an answer that was read: there is nobody to tell, and telling takes time.
    if (!response.writableFinished) abort.abort(GONE);
  });
  return {
    signal: abort.signal,
    times: { homeserverMs: 0 },
    known: { operation: 'none', grantId: null },
    cut() {
      abort.abort(OVER);
      // It was answered while the grant counted.
      if (response.headersSent) response.destroy();
    },
    whenLeft: (listener) => void (onLeft = listener),
    patient: () => clearTimeout(timer),
  };
}

/**
 * Only for requests that have a body. Theirs is the only part that may come late: the head has a clock of its
 * own.
 */
function bodyTimer({ req }: ServerResponse, timeoutMs: number): NodeJS.Timeout | undefined {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = req.headers;
  if (length === '0' && encoding === undefined) return undefined;
  return setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, timeoutMs).unref();
}
