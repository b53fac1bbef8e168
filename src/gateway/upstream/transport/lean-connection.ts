import { connect, type Socket } from 'node:net';
import type { LeanExchange } from './lean-exchange.ts';
import { ResponseReader } from './response-reader.ts';
import { rethrow } from './rethrow.ts';
import { TransportError } from './transport.ts';

/** What a connection needs of the pool it belongs to. */
export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  /** One read buffer for all connections: each read is handled before the next one happens. */
  readonly buffer: Buffer;
  /**
   * The exchange is complete, and the server keeps the connection for so many seconds; 0: it must not be
   * reused.
   */
  release(connection: LeanConnection, keptForSeconds: number): void;
  /** The connection must not be reused. */
  remove(connection: LeanConnection): void;
  /** The connection is closed. */
  closed(connection: LeanConnection): void;
}

/** So much is read in one turn of the event loop; then others have theirs. */
const TURN_BYTES = 262_144;

/** One connection: connecting, idle, or with one exchange. Never pipelined. */
export class LeanConnection {
  /** Set by the pool: when it is destroyed if still idle. */
  idleUntil = 0;
  readonly #pool: ConnectionPool;
  readonly #socket: Socket;
  readonly #reader = new ResponseReader();
  #exchange: LeanExchange | null = null;
  /** Of one exchange, since its last turn. */
  #read = 0;
  #isPaused = false;

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

  /** Writes a request as soon as it is connected. Only call this while it has no exchange. */
  start(exchange: LeanExchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    if (!this.#socket.connecting) this.#write(exchange);
  }

  /** Reads no more for its exchange until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Destroys it; its exchange gets the error. */
  fail(error: Error): void {
    const exchange = this.#exchange;
    this.destroy();
    exchange?.fail(error);
  }

  /** Destroys it without calling the listener. */
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
    this.#read = 0;
    // It contains the token.
    exchange.text = '';
    try {
      listener.onStart();
    } catch (thrown) {
      this.#onThrown(thrown);
    }
    if (this.#exchange === exchange) this.#socket.write(text, encoding);
  }

  #onRead(length: number): boolean {
    const exchange = this.#exchange;
    // Nothing was requested: it could be meant for the next request (RFC 9112, 9.2 and 11.2).
    if (exchange === null) this.destroy();
    else {
      try {
        this.#readFor(exchange, length);
      } catch (thrown) {
        this.#onThrown(thrown);
      }
    }
    this.#read += length;
    if (this.#exchange === null) return true;
    if (this.#isPaused) return false;
    if (this.#read < TURN_BYTES) return true;
    this.#read = 0;
    setImmediate(() => {
      if (!this.#isPaused) this.#socket.resume();
    });
    return false;
  }

  #readFor(exchange: LeanExchange, length: number): void {
    const progress = this.#reader.read(this.#pool.buffer, length);
    if (progress === 'refused') {
      const sentence = `The homeserver's response is refused: ${this.#reader.refusal}`;
      this.fail(new TransportError('invalid-response', sentence));
    } else if (progress === 'ended') {
      this.#exchange = null;
      this.#isPaused = false;
      this.#reader.stop();
      // If the response came before the whole request was written, the rest of it is still queued.
      const usable = !exchange.last && this.#socket.writableLength === 0;
      this.#pool.release(this, usable ? this.#reader.keptForSeconds : 0);
      exchange.end();
    }
  }

  /** By the listener, which may have aborted before. */
  #onThrown(thrown: unknown): void {
    if (this.#exchange === null) rethrow(thrown);
    else this.fail(thrown as Error);
  }

  #onLost(why: string): void {
    if (this.#exchange === null) this.destroy();
    else
      this.fail(new TransportError('connection-failed', `The connection to the homeserver failed (${why}).`));
  }
}
