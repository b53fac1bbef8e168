import { type ConnectionPool, LeanConnection } from './lean-connection.ts';
import { LeanExchange } from './lean-exchange.ts';
import { constantLines, problemOf, requestText } from './request-head.ts';
import {
  type Exchange,
  type ExchangeListener,
  type SentExchange,
  type Transport,
  TransportError,
} from './transport.ts';

/** What libuv reads at once. */
const BUFFER_BYTES = 65_536;
/** Shorter than servers keep idle connections: Node 5 s, Twisted and nginx 60 s or more. */
const IDLE_SECONDS = 4;
/** If the server says when it closes, how much earlier we do. */
export const MARGIN_SECONDS = 2;
const CLOSED = 'The transport is closed.';

/**
 * A lean, strict HTTP/1.1 client for plain http.
 *
 * Requests are written in the check phase of the event loop, after the sockets were polled, and a connection
 * is only reused if it was polled once since its last response. So whatever the server sent beyond that
 * response, and that it closed the connection, is noticed before the next request is written (as in undici:
 * GHSA-35p6-xmwp-9g52). A request that was written is never sent again: the homeserver may have acted on it.
 *
 * The number of connections is not limited. The gateway limits requests itself, and behind a limit here a
 * write would wait for long polls.
 * @param homeserverUrl plain http; targets are relative to its path
 * @throws TypeError if it is not plain http
 */
export function leanTransport(homeserverUrl: string): Transport {
  return new LeanTransport(new URL(homeserverUrl));
}

class LeanTransport implements Transport, ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #base: string;
  readonly #constant: string;
  readonly #connections = new Set<LeanConnection>();
  /** A stack: the connection that was used last is used next, so that the others can time out. */
  #idle: LeanConnection[] = [];
  /** Idle, but not polled yet since their last response. */
  #released: LeanConnection[] = [];
  #waiting: LeanExchange[] = [];
  #hasTurn = false;
  /** In seconds. */
  #clock = 0;
  readonly #ticking: NodeJS.Timeout;
  readonly #allClosed = Promise.withResolvers<void>();
  #open = true;

  constructor({ protocol, hostname, host, port, pathname }: URL) {
    if (protocol !== 'http:') throw new TypeError('The lean transport speaks plain http alone.');
    this.host = hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = port === '' ? 80 : Number(port);
    this.#base = pathname.replace(/\/+$/, '');
    this.#constant = constantLines(host);
    this.#ticking = setInterval(() => this.#tick(), 1_000).unref();
  }

  send(exchange: Exchange, listener: ExchangeListener): SentExchange {
    const problem = this.#open ? problemOf(exchange) : CLOSED;
    if (problem !== null) return refuse(listener, this.#open ? 'invalid-request' : 'closed', problem);
    const { method, body } = exchange;
    const bodyBytes = body === null ? 0 : Buffer.byteLength(body);
    const sent = new LeanExchange(
      listener,
      requestText(this.#base, this.#constant, exchange, bodyBytes),
      body === null || bodyBytes === body.length ? 'latin1' : 'utf8',
      // RFC 9110, 9.3.5: a server might not expect a body there, and take it for the next request.
      method === 'DELETE' && body !== null,
    );
    this.#waiting.push(sent);
    this.#takeTurn();
    return sent;
  }

  async close(): Promise<void> {
    this.#open = false;
    clearInterval(this.#ticking);
    const error = new TransportError('closed', CLOSED);
    for (const connection of this.#connections) connection.fail(error);
    if (this.#connections.size > 0) await this.#allClosed.promise;
  }

  release(connection: LeanConnection, keptForSeconds: number): void {
    const seconds = Math.min(IDLE_SECONDS, keptForSeconds - MARGIN_SECONDS);
    if (seconds <= 0) return connection.destroy();
    connection.idleUntil = this.#clock + seconds;
    this.#released.push(connection);
    this.#takeTurn();
  }

  remove(connection: LeanConnection): void {
    drop(this.#idle, connection);
    drop(this.#released, connection);
  }

  closed(connection: LeanConnection): void {
    this.#connections.delete(connection);
    if (!this.#open && this.#connections.size === 0) this.#allClosed.resolve();
  }

  #takeTurn(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#hasTurn = false;
    const waiting = this.#waiting;
    const released = this.#released;
    if (waiting.length > 0) {
      this.#waiting = [];
      for (const sent of waiting) if (!sent.over) this.#start(sent);
    }
    for (const connection of released) this.#idle.push(connection);
    released.length = 0;
  };

  #start(sent: LeanExchange): void {
    if (this.#open) (this.#idle.pop() ?? this.#connect()).start(sent);
    else sent.fail(new TransportError('closed', CLOSED));
  }

  #connect(): LeanConnection {
    const connection = new LeanConnection(this);
    this.#connections.add(connection);
    return connection;
  }

  #tick(): void {
    this.#clock++;
    const stale = this.#idle.filter(({ idleUntil }) => idleUntil <= this.#clock);
    for (const connection of stale) connection.destroy();
  }
}

function drop(list: LeanConnection[], connection: LeanConnection): void {
  const at = list.indexOf(connection);
  if (at !== -1) list.splice(at, 1);
}

/** Calls `onError` after `send` has returned. */
function refuse(
  listener: ExchangeListener,
  code: 'invalid-request' | 'closed',
  sentence: string,
): SentExchange {
  const told = setImmediate(() => listener.onError(new TransportError(code, sentence)));
  return { abort: () => clearImmediate(told), pause: () => undefined, resume: () => undefined };
}
