import { rethrow } from './rethrow.ts';
import type { ExchangeListener, SentExchange } from './transport.ts';

/** One exchange: waiting, then on a connection, then over. */
/** The connection that an exchange is on. */
type Carrier = { destroy(): void; pause(): void; resume(): void };

export class LeanExchange implements SentExchange {
  connection: Carrier | null = null;
  over = false;
  readonly listener: ExchangeListener;
  /** The request as it is written; empty afterwards. */
  text: string;
  readonly encoding: 'latin1' | 'utf8';
  /** Whether its connection must not be reused. */
  readonly last: boolean;

  constructor(listener: ExchangeListener, text: string, encoding: 'latin1' | 'utf8', last: boolean) {
    this.listener = listener;
    this.text = text;
    this.encoding = encoding;
    this.last = last;
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    this.text = '';
    this.connection?.destroy();
    this.connection = null;
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  end(): void {
    this.over = true;
    this.connection = null;
    try {
      this.listener.onEnd();
    } catch (thrown) {
      rethrow(thrown);
    }
  }

  fail(error: Error): void {
    this.over = true;
    this.text = '';
    this.connection = null;
    try {
      this.listener.onError(error);
    } catch (thrown) {
      rethrow(thrown);
    }
  }
}
