import { Duplex } from 'node:stream';
import { Client } from 'undici';
import type { ResponseHead } from '../../../../../src/gateway/upstream/transport/transport.ts';
import { textOf } from '../../../../../src/gateway/upstream/transport/undici-transport.ts';

/** What undici makes of an answer. */
export type Judged =
  | {
      readonly accepted: true;
      readonly head: ResponseHead;
      readonly body: string;
      readonly reusable: boolean;
    }
  | { readonly accepted: false; readonly why: string };

/**
 * Gives undici an answer by a socket in memory, and then, if it waits for more, the end of the connection.
 */
export function judgeByUndici(bytes: Buffer): Promise<Judged> {
  return new Promise((resolve) => {
    const socket = new MemorySocket(bytes);
    // undici calls back for a socket as it would for one of TCP.
    const client = new Client('http://hs.test', {
      connect: (_options, callback) => setImmediate(callback, null, socket as never),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    let head: ResponseHead | null = null;
    let body = '';
    const done = (judged: Judged): void => {
      resolve(judged);
      void client.destroy();
    };
    client.dispatch(
      { method: 'GET', path: '/x' },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, headers) {
          if (status < 200) return;
          const length = textOf(headers['content-length']);
          head = {
            status,
            contentType: textOf(headers['content-type']),
            contentEncoding: textOf(headers['content-encoding']),
            contentLength: length === null ? null : Number(length),
            retryAfter: textOf(headers['retry-after']),
          };
        },
        onResponseData(_controller, chunk) {
          body += chunk.toString('latin1');
        },
        onResponseEnd() {
          // Whether it keeps the socket shows a moment later.
          setImmediate(() => {
            if (head === null) done({ accepted: false, why: 'no head' });
            else done({ accepted: true, head, body, reusable: !socket.destroyed && !socket.ended });
          });
        },
        onResponseError(_controller, error) {
          done({ accepted: false, why: (error as NodeJS.ErrnoException).code ?? error.name });
        },
      },
    );
  });
}

class MemorySocket extends Duplex {
  /** Whether the connection had to be closed before undici had enough. */
  ended = false;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super({ allowHalfOpen: false });
    this.#bytes = bytes;
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
    callback();
    setImmediate(() => {
      if (this.#bytes.length > 0) this.push(this.#bytes);
      // An answer that is whole has been told by then.
      setImmediate(() => setImmediate(() => this.#end()));
    });
  }

  #end(): void {
    if (this.destroyed) return;
    this.ended = true;
    this.push(null);
  }
}
