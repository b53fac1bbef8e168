/** One exchange with the homeserver whose body is JSON or nothing. */
export type Exchange = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Encoded path and query, relative to the homeserver's URL; checked again before it is written. */
  readonly target: string;
  /**
   * Name, value, name, value…; names in lower case. Only our own, and checked before they are written. The
   * transport adds those of the connection itself (host, connection, content-length…) and refuses them here.
   */
  readonly headers: readonly string[];
  /** Never with a GET. */
  readonly body: string | null;
};

/** Status and headers of a response, as far as the gateway uses them; null if missing. */
export type ResponseHead = {
  readonly status: number;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly contentLength: number | null;
  readonly retryAfter: string | null;
};

/**
 * Called synchronously and in this order, never before `send` has returned. The last call is exactly one of
 * `onEnd` and `onError`; after `abort()` there are none. If a listener throws, its connection is destroyed
 * and `onError` gets what it threw; what these last two throw is an uncaught exception.
 */
export interface ExchangeListener {
  /** The request is about to be written: before this call, the homeserver cannot have seen it. */
  onStart(): void;
  /** Once, with the final status: interim responses (1xx) are skipped. */
  onHead(head: ResponseHead): void;
  /**
   * Part of the body; all of it in one call if it arrived in one read. **The chunk's memory is reused after
   * the call: copy what you keep.**
   */
  onData(chunk: Buffer): void;
  onEnd(): void;
  /**
   * A `TransportError`, which never contains the request or the token, or what the listener itself threw. The
   * connection is destroyed.
   */
  onError(error: Error): void;
}

/** What was begun and can be given up. */
export interface Sent {
  /** Destroys the connection. Does nothing if the exchange has ended. */
  abort(): void;
}

/** The handle of one exchange. */
export interface SentExchange extends Sent {
  /** Reads no more of the response until `resume`; one more `onData`, and `onEnd`, may be on their way. */
  pause(): void;
  resume(): void;
}

/** Makes requests to the homeserver. It has no timeouts: the caller has them, and calls `abort`. */
export interface Transport {
  /**
   * Sends once and never retries, not even a request that failed before it was written: the caller knows
   * `onStart` and can decide better. Never throws: an invalid request gets `onError`.
   */
  send(exchange: Exchange, listener: ExchangeListener): SentExchange;
  /** Destroys all connections; open exchanges get `onError`. */
  close(): Promise<void>;
}

/**
 * - `invalid-request`: refused by us; nothing was written
 * - `connection-failed`: could not connect, or the connection ended before the response did
 * - `invalid-response`: malformed, or ambiguous enough that two parsers could read it differently
 * - `closed`: the transport was closed
 */
export type TransportErrorCode = 'invalid-request' | 'connection-failed' | 'invalid-response' | 'closed';

/** What went wrong between us and the homeserver; the message is made of our own words only. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
