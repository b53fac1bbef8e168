import { ChunkedBody } from './chunked-body.ts';
import { parseHead, type ParsedHead } from './response-head.ts';
import type { ExchangeListener } from './transport.ts';

/** Interim responses (102, 103) are allowed, but not without end. */
const MAX_INTERIM = 8;

const HEAD = 0;
const SIZED = 1;
const CHUNKED = 2;

/** What a read led to. After `refused`, `refusal` says why. */
export type Progress = 'more' | 'ended' | 'refused';

/**
 * Reads the responses on one connection, one at a time, and passes their content to a listener. Everything in
 * one read is checked before any of it is passed on.
 */
export class ResponseReader {
  /** Set by `refused`. */
  refusal = '';
  /** Set by `ended`: how long the server keeps the connection, in seconds; 0: it must not be reused. */
  keptForSeconds = 0;
  #listener: ExchangeListener | null = null;
  #phase = HEAD;
  #interim = 0;
  /** Bytes left of a body with Content-Length; negative: too many have come. */
  #remaining = 0;
  /** An incomplete head. */
  #held: Buffer | null = null;
  readonly #chunks = new ChunkedBody();

  /** Sets the listener of the next response. */
  begin(listener: ExchangeListener): void {
    this.#listener = listener;
    this.#phase = HEAD;
    this.#interim = 0;
  }

  /** Calls the listener no more. */
  stop(): void {
    this.#listener = null;
  }

  /**
   * Reads `length` bytes. They may be moved within the buffer, and are copied where they must be kept. The
   * listener may stop the reader in any call.
   */
  read(bytes: Buffer, length: number): Progress {
    return this.#phase === HEAD ? this.#readHead(bytes, length) : this.#readBody(bytes, 0, length, null);
  }

  #readHead(bytes: Buffer, length: number): Progress {
    let buffer = bytes;
    let to = length;
    if (this.#held !== null) {
      // Parsed from the start again: heads are short and rarely split.
      buffer = Buffer.concat([this.#held, bytes.subarray(0, length)]);
      to = buffer.length;
    }
    let from = 0;
    for (;;) {
      const head = parseHead(buffer, from, to);
      if (head === null) {
        this.#held = Buffer.from(buffer.subarray(from, to));
        return 'more';
      }
      this.#held = null;
      if (typeof head === 'string') return this.#refuse(head);
      if (head.status >= 200) return this.#beginBody(buffer, to, head);
      const problem = problemOfInterim(head, ++this.#interim);
      if (problem !== null) return this.#refuse(problem);
      from = head.end;
      if (from === to) return 'more';
    }
  }

  #beginBody(buffer: Buffer, to: number, head: ParsedHead): Progress {
    const { status, contentLength } = head;
    this.keptForSeconds = head.persistent ? head.keepAliveSeconds : 0;
    if (status === 204 || status === 304) {
      // RFC 9112, 6.3: no body, whatever the headers say. RFC 9110, 8.6 and RFC 9112, 6.1: a 204 has no such
      // headers; a 304 may have the length of the 200. A broken server might send that body, so the
      // connection is not reused.
      if (head.chunked || (status === 204 && contentLength !== null && contentLength > 0))
        return this.#refuse(BODY_NOT_ALLOWED);
      if (contentLength !== null && contentLength > 0) this.keptForSeconds = 0;
      this.#phase = SIZED;
      this.#remaining = 0;
    } else if (head.chunked) {
      this.#phase = CHUNKED;
      this.#chunks.reset();
    } else if (contentLength === null) {
      // RFC 9112, 6.3 and 8: the body would end with the connection, and could be cut short unnoticed.
      return this.#refuse('It does not say where its body ends.');
    } else {
      this.#phase = SIZED;
      this.#remaining = contentLength;
    }
    return this.#readBody(buffer, head.end, to, head);
  }

  /** @param head to be passed on first, if it is in the same read */
  #readBody(buffer: Buffer, at: number, to: number, head: ParsedHead | null): Progress {
    let from = at;
    let until = to;
    let ended: boolean;
    if (this.#phase === CHUNKED) {
      const problem = this.#chunks.read(buffer, at, to);
      if (problem !== null) return this.#refuse(problem);
      ({ from, to: until } = this.#chunks);
      ended = this.#chunks.done;
    } else {
      this.#remaining -= to - at;
      // RFC 9112, 9.2 and 11.2: there is one request at a time, so nobody asked for what follows.
      if (this.#remaining < 0) return this.#refuse('There are bytes after its end.');
      ended = this.#remaining === 0;
    }
    if (head !== null) this.#listener?.onHead(head);
    if (from < until) this.#listener?.onData(buffer.subarray(from, until));
    return ended && this.#listener !== null ? 'ended' : 'more';
  }

  #refuse(sentence: string): Progress {
    this.refusal = sentence;
    return 'refused';
  }
}

const BODY_NOT_ALLOWED = 'It has a body that its status does not allow.';

/** RFC 9110, 15.2. */
function problemOfInterim(head: ParsedHead, count: number): string | null {
  // We never send Expect (RFC 9110, 10.1.1) or Upgrade (7.8).
  if (head.status < 102) return 'Its status is for something that was not requested.';
  // After one with `close` no response may follow (RFC 9112, 9.6); HTTP/1.0 has no interim responses.
  if (!head.persistent) return 'An interim response ends the connection.';
  if (head.chunked || head.contentLength !== null) return BODY_NOT_ALLOWED;
  return count > MAX_INTERIM ? 'It has too many interim responses.' : null;
}
