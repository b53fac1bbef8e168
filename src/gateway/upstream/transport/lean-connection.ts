import { connect, type Socket } from 'node:net';
import type { LeanExchange } from './lean-exchange.ts';
import { ResponseReader } from './response-reader.ts';
import { TransportError } from './transport.ts';

/** What a connection needs of the pool it belongs to. */
export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  /** One buffer for all connections: what came is read before anything else is. */
  readonly buffer: Buffer;
  /** An exchange has ended well, and the server keeps the connection for so many seconds; 0: it does not. */
  release(connection: LeanConnection, keptForSeconds: number): void;
  /** It must not be used from now on. */
  remove(connection: LeanConnection): void;
  /** It is closed. */
  closed(connection: LeanConnection): void;
}

/** One connection: connecting, then idle or with one exchange, then gone. Never pipelined. */
export class LeanConnection {
  /** For the pool: when it must be gone if it is still idle. */
  idleUntil = 0;
  readonly #pool: ConnectionPool;
  readonly #socket: Socket;
  readonly #reader = new ResponseReader();
  #exchange: LeanExchange | null = null;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
    this.#socket = connect({
      host: pool.host,
      port: pool.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      onread: { buffer: pool.buffer, callback: (length) => this.#onRead(length) },
    });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onLost(error.code ?? 'no reason given'));
    this.#socket.on('end', () => this.#onLost('closed by the homeserver'));
    this.#socket.on('close', () => {
      this.#onLost('closed');
      pool.closed(this);
    });
  }

  /** Writes a request, as soon as it is connected. Only while it is idle. */
  start(exchange: LeanExchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    if (!this.#socket.connecting) this.#write(exchange);
  }

  /** Ends it, and tells its exchange why. */
  fail(error: Error): void {
    const exchange = this.#exchange;
    this.destroy();
    exchange?.fail(error);
  }

  /** Ends it without a word. */
  destroy(): void {
    this.#reader.stop();
    this.#exchange = null;
    this.#pool.remove(this);
    this.#socket.destroy();
  }

  #onConnect(): void {
    if (this.#exchange !== null) this.#write(this.#exchange);
  }

  #write(exchange: LeanExchange): void {
    const { listener, text, encoding } = exchange;
    this.#reader.begin(listener);
    // It holds the token.
    exchange.text = '';
    try {
      listener.onStart();
    } catch (thrown) {
      if (this.#exchange === null) throw thrown;
      this.fail(thrown as Error);
    }
    if (this.#exchange === exchange) this.#socket.write(text, encoding);
  }

  #onRead(length: number): boolean {
    const exchange = this.#exchange;
    // Nobody has asked for it: it could be the answer to what was smuggled (RFC 9112, 9.2 and 11.2).
    if (exchange === null) this.destroy();
    else {
      try {
        this.#readFor(exchange, length);
      } catch (thrown) {
        // Told to the listener; where it has had its last word, to nobody.
        if (this.#exchange === null) throw thrown;
        this.fail(thrown as Error);
      }
    }
    return true;
  }

  #readFor(exchange: LeanExchange, length: number): void {
    const progress = this.#reader.read(this.#pool.buffer, length);
    if (progress === 'refused')
      this.fail(
        new TransportError('invalid-response', `The homeserver's answer is refused: ${this.#reader.refusal}`),
      );
    else if (progress === 'ended') {
      this.#exchange = null;
      this.#reader.stop();
      // An answer that came before its request was written whole leaves the rest of that in the way.
      const usable = !exchange.last && this.#socket.writableLength === 0;
      this.#pool.release(this, usable ? this.#reader.keptForSeconds : 0);
      exchange.end();
    }
  }

  #onLost(why: string): void {
    if (this.#exchange === null) this.destroy();
    else
      this.fail(new TransportError('connection-failed', `The connection to the homeserver failed (${why}).`));
  }
}
