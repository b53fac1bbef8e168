import { ChunkedBody } from './chunked-body.ts';
import { parseHead, type ParsedHead } from './response-head.ts';
import type { ExchangeListener } from './transport.ts';

/** A server may announce what it is doing (102, 103), but not for ever. */
const MAX_INTERIM = 8;

const HEAD = 0;
const SIZED = 1;
const CHUNKED = 2;

/** What a read has come to. `refused`: what came is not one answer; `refusal` says why. */
export type Progress = 'more' | 'ended' | 'refused';

/**
 * Reads the answers of one connection, one after the other, and tells a listener what is in them. What comes in
 * one read is judged before any of it is told.
 */
export class ResponseReader {
  /** After `refused`. */
  refusal = '';
  /** After `ended`: how long the server keeps the connection, in seconds; 0: it must not be used again. */
  keptForSeconds = 0;
  #listener: ExchangeListener | null = null;
  #phase = HEAD;
  #interim = 0;
  /** Of a body with Content-Length. */
  #remaining = 0;
  /** The beginning of a head that came in parts. */
  #held: Buffer | null = null;
  readonly #chunks = new ChunkedBody();

  /** Whoever is told of the next answer. */
  begin(listener: ExchangeListener): void {
    this.#listener = listener;
    this.#phase = HEAD;
    this.#interim = 0;
  }

  /** From now on nothing is told. */
  stop(): void {
    this.#listener = null;
  }

  /**
   * Reads what came. Its bytes may be moved; nothing of them is kept but copies. The listener may stop the reader
   * while it is told something.
   */
  read(bytes: Buffer, length: number): Progress {
    return this.#phase === HEAD ? this.#readHead(bytes, length) : this.#readBody(bytes, 0, length, null);
  }

  #readHead(bytes: Buffer, length: number): Progress {
    let buffer = bytes;
    let to = length;
    if (this.#held !== null) {
      // Read from its beginning again: heads are short, and seldom come in parts.
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
      // RFC 9112, 6.3: they have no body, whatever they say of one. RFC 9110, 8.6 and RFC 9112, 6.1: a 204 says
      // nothing; a 304 may say what a 200 would have. Since a server that is wrong sends it all the same, the
      // connection is not used again.
      if (head.chunked || (status === 204 && contentLength !== null && contentLength > 0))
        return this.#refuse('It has a body, which its status does not allow.');
      if (contentLength !== null && contentLength > 0) this.keptForSeconds = 0;
      this.#phase = SIZED;
      this.#remaining = 0;
    } else if (head.chunked) {
      this.#phase = CHUNKED;
      this.#chunks.reset();
    } else if (contentLength === null) {
      // RFC 9112, 6.3 and 8: it would end with the connection, so nobody could tell whether it is whole.
      return this.#refuse('It does not say where its body ends.');
    } else {
      this.#phase = SIZED;
      this.#remaining = contentLength;
    }
    return this.#readBody(buffer, head.end, to, head);
  }

  /** @param head what is to be told first */
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
      // RFC 9112, 9.2 and 11.2: we have one request open at a time, so what comes after its answer is nobody's.
      if (this.#remaining < 0) return this.#refuse('It goes on after its end.');
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

/** RFC 9110, 15.2: interim answers have no body. */
function problemOfInterim(head: ParsedHead, count: number): string | null {
  // We have asked neither for leave to send a body nor for another protocol (RFC 9110, 10.1.1 and 7.8).
  if (head.status < 102) return 'It is an answer to what was not asked.';
  // One that ends the connection has no answer after it (RFC 9112, 9.6); HTTP/1.0 knows none.
  if (!head.persistent) return 'Nothing may come after its interim answer.';
  if (head.chunked || head.contentLength !== null) return 'It has a body, which its status does not allow.';
  return count > MAX_INTERIM ? 'It has too many interim answers.' : null;
}
