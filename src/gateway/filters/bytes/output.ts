import type { Scanner } from './scanner.ts';

const INITIAL_BYTES = 65_536;
const MUCH_BYTES = 1_048_576;

/**
 * What is written. Spans of the input that follow one another are copied in one go, so positions count what
 * is only promised too.
 */
export class Output {
  #buf = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  #from = -1;
  #to = -1;
  readonly #scan: Scanner;
  readonly #size: number;

  /** @param size how much will be written if nothing is left out, where that is known */
  constructor(scan: Scanner, size = 0) {
    this.#scan = scan;
    this.#size = size;
  }

  /** Starts again with nothing. */
  reset(): void {
    this.#length = 0;
    this.forget();
  }

  /** How much is written. */
  position(): number {
    return this.#length + this.#to - this.#from;
  }

  /** Writes these bytes of the input. */
  span(start: number, end: number): void {
    if (start !== this.#to) {
      this.flush();
      this.#from = start;
    }
    this.#to = end;
  }

  /** Writes these bytes. */
  bytes(bytes: Uint8Array): void {
    this.flush();
    this.#reserve(bytes.length);
    this.#buf.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes one byte. */
  byte(byte: number): void {
    this.flush();
    this.#reserve(1);
    this.#buf[this.#length++] = byte;
  }

  /** Takes back everything after a position. */
  truncate(position: number): void {
    if (position >= this.#length) this.#to = this.#from + (position - this.#length);
    else {
      this.#length = position;
      this.#from = -1;
      this.#to = -1;
    }
  }

  /** Takes out what is between two positions. */
  cut(start: number, end: number): void {
    this.flush();
    this.#buf.copyWithin(start, end, this.#length);
    this.#length -= end - start;
  }

  /** Before the input moves: copies what is promised. */
  flush(): void {
    const size = this.#to - this.#from;
    if (size === 0) return;
    this.#reserve(size);
    this.#scan.buf.copy(this.#buf, this.#length, this.#from, this.#to);
    this.#length += size;
    this.#from = this.#to;
  }

  /** The input has moved. */
  forget(): void {
    this.#from = -1;
    this.#to = -1;
  }

  /** What is between two positions; good until more is written. */
  view(start: number, end: number): Buffer {
    this.flush();
    return this.#buf.subarray(start, end);
  }

  /** A copy of all of it. */
  copy(): Buffer {
    const size = this.position();
    const copy = Buffer.allocUnsafe(size);
    this.#buf.copy(copy, 0, 0, this.#length);
    this.#scan.buf.copy(copy, this.#length, this.#from, this.#to);
    return copy;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buf.length) return;
    // Of a long answer of which much is shown, most may be: then each doubling would be copied for nothing.
    const all = this.#buf.length >= MUCH_BYTES ? this.#size : 0;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buf.length * 2, all));
    this.#buf.copy(larger, 0, 0, this.#length);
    this.#buf = larger;
  }
}
