/** One exchange with the homeserver whose body is JSON or nothing. */
export type Exchange = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Encoded path and query, below the path of the homeserver's URL; checked again before it is written. */
  readonly target: string;
  /**
   * Name, value, name, value…; names in lower case. Ours alone, and checked before they are written. What
   * belongs to the connection (host, connection, content-length…) is the transport's and refused here.
   */
  readonly headers: readonly string[];
  /** Never with a GET. */
  readonly body: string | null;
};

/** The headers of an answer that anybody here looks at; null where missing. */
export type ResponseHead = {
  readonly status: number;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly contentLength: number | null;
  readonly retryAfter: string | null;
};

/**
 * Told, in order and synchronously, what comes; nothing before `send` has returned. Exactly one of `onEnd` and
 * `onError` comes last; after `abort()` nothing comes. Where a listener throws, its connection is destroyed and
 * `onError` is told what it threw; what those last two throw is uncaught.
 */
export interface ExchangeListener {
  /** The request is put on a connection: before that the homeserver cannot have seen it. */
  onStart(): void;
  /** Once, with the final status: interim answers (1xx) are swallowed. */
  onHead(head: ResponseHead): void;
  /**
   * A part of the body, in one call where it arrived in one read. **The chunk's memory is reused after the
   * call: copy what you keep.**
   */
  onData(chunk: Buffer): void;
  onEnd(): void;
  /**
   * A `TransportError` that holds nothing of the request or the token, or what the listener itself threw. The
   * connection is gone.
   */
  onError(error: Error): void;
}

/** The handle of one exchange. */
export interface Sent {
  /** Destroys the connection. Does nothing once the exchange has ended. */
  abort(): void;
}

/** The way to the homeserver. It has no timeouts: those are the caller's, by `abort`. */
export interface Transport {
  /**
   * Asks once and never tries again: not even a request that failed before it was written, since a caller that
   * knows `onStart` knows more. A request that must not be written is told by `onError`.
   */
  send(exchange: Exchange, listener: ExchangeListener): Sent;
  /** Ends all connections; what is open is told an error. */
  close(): Promise<void>;
}

/**
 * - `invalid-request`: nothing was written, since it would not have been one request
 * - `connection-failed`: no connection, or it ended before the answer did
 * - `invalid-response`: what came is not one answer that everybody reads alike
 * - `closed`: the transport was closed
 */
export type TransportErrorCode = 'invalid-request' | 'connection-failed' | 'invalid-response' | 'closed';

/** Says what went wrong on the way, in words of ours alone. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
