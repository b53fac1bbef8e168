import type { Dispatcher } from 'undici';
import { createDispatcher } from '../../../net/dispatcher.ts';
import { problemOf } from './request-head.ts';
import { rethrow } from './rethrow.ts';
import {
  type Exchange,
  type ExchangeListener,
  type ResponseHead,
  type SentExchange,
  type Transport,
  TransportError,
} from './transport.ts';

/**
 * 1 means no pipelining. The caller has the timeouts. The number of connections is not limited (see
 * `leanTransport`).
 */
const OPTIONS = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };

/**
 * undici behind the same interface: for https and proxies. It is less strict than the lean client: it accepts
 * bodies that end with the connection, chunk extensions and trailers.
 * @param homeserverUrl targets are relative to its path
 * @param environment which may name a proxy
 */
export function undiciTransport(homeserverUrl: string, environment: NodeJS.ProcessEnv = {}): Transport {
  const { origin, pathname } = new URL(homeserverUrl);
  const base = pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(origin, { ...OPTIONS, connections: null }, environment);
  let open = true;
  return {
    send(exchange, listener) {
      const handler = new UndiciExchange(listener);
      const problem = problemOf(exchange);
      if (!open) handler.failLater(new TransportError('closed', 'The transport is closed.'));
      else if (problem !== null) handler.failLater(new TransportError('invalid-request', problem));
      else dispatcher.dispatch({ origin, ...optionsOf(base, exchange) }, handler);
      return handler;
    },
    async close() {
      open = false;
      await dispatcher.destroy();
    },
  };
}

function optionsOf(base: string, { method, target, headers, body }: Exchange): Dispatcher.DispatchOptions {
  return { path: base + target, method, headers: headers as string[], body };
}

class UndiciExchange implements SentExchange, Dispatcher.DispatchHandler {
  readonly #listener: ExchangeListener;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;

  constructor(listener: ExchangeListener) {
    this.#listener = listener;
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(ABORTED);
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  /** Not at once: undici must not be resumed while it reads another response. */
  resume(): void {
    setImmediate(() => {
      if (!this.#over) this.#controller?.resume();
    });
  }

  failLater(error: Error): void {
    setImmediate(() => this.#fail(error));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it was waiting for a connection.
    if (this.#over) controller.abort(ABORTED);
    else this.#tell(() => this.#listener.onStart());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#over) return;
    const length = textOf(headers['content-length']);
    const head: ResponseHead = {
      status,
      contentType: textOf(headers['content-type']),
      contentEncoding: textOf(headers['content-encoding']),
      contentLength: length === null ? null : Number(length),
      retryAfter: textOf(headers['retry-after']),
    };
    this.#tell(() => this.#listener.onHead(head));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#tell(() => this.#listener.onData(chunk));
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    uncaught(() => this.#listener.onEnd());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // undici's own error may contain the request, and with it the token: only its code is passed on.
    const { name, code = name } = error as NodeJS.ErrnoException;
    this.failLater(errorOf(code));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      if (this.#over) return rethrow(thrown);
      this.#fail(thrown as Error);
      this.#controller?.abort(ABORTED);
    }
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    uncaught(() => this.#listener.onError(error));
  }
}

function errorOf(code: string): TransportError {
  if (code === 'UND_ERR_DESTROYED') return new TransportError('closed', 'The transport is closed.');
  if (/^(?:HPE_|HTTPParserError|UND_ERR_(?:HEADERS_OVERFLOW|RES_))/.test(code))
    return new TransportError('invalid-response', `The homeserver's response is refused (${code}).`);
  return new TransportError('connection-failed', `The connection to the homeserver failed (${code}).`);
}

const ABORTED = Object.freeze(new Error('The exchange was aborted.'));

/** A header's value as text. Trailing white space is not part of it (RFC 9112, 5.1), but undici keeps it. */
export function textOf(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? withoutSpaceAfter(value) : value.map(withoutSpaceAfter).join(', ');
}

function withoutSpaceAfter(value: string): string {
  return value.replace(/[ \t]+$/, '');
}

/** Calls a listener for the last time. */
function uncaught(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    rethrow(thrown);
  }
}
