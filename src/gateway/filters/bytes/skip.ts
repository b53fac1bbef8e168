import { invalidResponse } from '../json-shape.ts';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON as COLON_BYTE,
  COMMA,
  NEED_MORE,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  type Scanner,
} from './scanner.ts';

const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_KEY = 2;
const KEY = 3;
const AFTER = 4;
const IN_STRING = 5;
const COLON = 6;
const IN_KEY = 7;

/** An event cannot be nested this deep: it has 65,536 bytes at most. */
const MAX_DEPTH = 131_072;

/** Skips one JSON value of any size, checking it; goes on where it was when more bytes come. */
export class Skip {
  /** How deep the value was nested at most. */
  deepest = 0;
  #state = VALUE;
  #depth = 0;
  #open = new Uint8Array(256);
  readonly #scan: Scanner;

  constructor(scan: Scanner) {
    this.#scan = scan;
  }

  /** Starts with the value at the scanner's position. */
  begin(): void {
    this.#state = VALUE;
    this.#depth = 0;
    this.deepest = 0;
  }

  /** Skips the value at the scanner's position, all of which must be there. */
  whole(): void {
    const byte = this.#scan.buf[this.#scan.pos] as number;
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      this.begin();
      this.run();
    } else this.#scan.scalar(byte);
  }

  /** @throws NEED_MORE in the middle of it; then the position is where to go on */
  run(): void {
    const scan = this.#scan;
    for (;;) {
      switch (this.#state) {
        case IN_STRING:
        case IN_KEY:
          scan.stringRest();
          this.#state = this.#state === IN_KEY ? COLON : AFTER;
          break;
        case COLON:
          if (scan.space() !== COLON_BYTE) throw scan.fault(scan.pos);
          scan.pos++;
          this.#state = VALUE;
          break;
        case FIRST_KEY:
        case KEY:
          if (scan.space() === QUOTE) {
            scan.pos++;
            this.#state = IN_KEY;
          } else if (this.#state === FIRST_KEY && scan.buf[scan.pos] === CLOSE_OBJECT) this.#close();
          else throw scan.fault(scan.pos);
          break;
        case AFTER:
          if (this.#depth === 0) return;
          this.#next();
          break;
        default:
          this.#value();
      }
    }
  }

  #value(): void {
    const scan = this.#scan;
    const byte = scan.space();
    if (byte === QUOTE) {
      scan.pos++;
      this.#state = IN_STRING;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      this.#push(byte);
      this.#state = byte === OPEN_OBJECT ? FIRST_KEY : FIRST_ELEMENT;
    } else if (byte === CLOSE_LIST && this.#state === FIRST_ELEMENT) this.#close();
    else {
      if (scan.pos >= scan.end) throw NEED_MORE;
      scan.scalar(byte);
      this.#state = AFTER;
    }
  }

  #next(): void {
    const scan = this.#scan;
    const byte = scan.space();
    const inObject = this.#open[this.#depth - 1] === OPEN_OBJECT;
    if (byte === COMMA) {
      scan.pos++;
      this.#state = inObject ? KEY : VALUE;
    } else if (byte === (inObject ? CLOSE_OBJECT : CLOSE_LIST)) this.#close();
    else throw scan.fault(scan.pos);
  }

  #push(byte: number): void {
    if (this.#depth >= MAX_DEPTH) throw invalidResponse('nesting');
    if (this.#depth === this.#open.length) {
      const larger = new Uint8Array(this.#open.length * 4);
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[this.#depth++] = byte;
    if (this.#depth > this.deepest) this.deepest = this.#depth;
    this.#scan.pos++;
  }

  #close(): void {
    this.#depth--;
    this.#scan.pos++;
    this.#state = AFTER;
  }
}
