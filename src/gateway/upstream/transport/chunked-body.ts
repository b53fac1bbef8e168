/** Eight hexadecimal digits, 4 GiB: more than any response has. The caller has a limit of its own. */
const MAX_SIZE_DIGITS = 8;

const LF = 0x0a;
const CR = 0x0d;

const SIZE = 0;
const SIZE_LF = 1;
const DATA = 2;
const DATA_CR = 3;
const DATA_LF = 4;
const LAST_CR = 5;
const LAST_LF = 6;
const DONE = 7;

/**
 * Decodes a chunked body (RFC 9112, 7.1), however it is split into reads. Chunk extensions (7.1.1) and
 * trailers (7.1.2) are refused instead of ignored: no homeserver sends any, and parsers disagree about them.
 */
export class ChunkedBody {
  /** Span of the data in the last read, chunks joined; empty if there is none. */
  from = 0;
  to = 0;
  #state = SIZE;
  #digits = 0;
  #size = 0;

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Prepares for the next body. */
  reset(): void {
    this.#state = SIZE;
    this.#digits = 0;
    this.#size = 0;
  }

  /**
   * Decodes what was read, in place: the data of several chunks is joined.
   * @returns a sentence if it is refused
   */
  read(bytes: Buffer, from: number, end: number): string | null {
    this.from = from;
    this.to = from;
    let at = from;
    while (at < end) {
      if (this.#state === DATA) {
        at = this.#take(bytes, at, end);
        continue;
      }
      const byte = bytes[at++] as number;
      switch (this.#state) {
        case SIZE: {
          if (byte === CR && this.#digits > 0) {
            this.#state = SIZE_LF;
            break;
          }
          const digit = hexadecimal(byte);
          if (digit === -1) return 'A chunk size is not a number.';
          if (++this.#digits > MAX_SIZE_DIGITS) return 'A chunk is too large.';
          this.#size = this.#size * 16 + digit;
          break;
        }
        case SIZE_LF:
          if (byte !== LF) return NO_LINE_END;
          this.#state = this.#size === 0 ? LAST_CR : DATA;
          this.#digits = 0;
          break;
        case DATA_CR:
          if (byte !== CR) return 'A chunk is longer than its size.';
          this.#state = DATA_LF;
          break;
        case DATA_LF:
          if (byte !== LF) return NO_LINE_END;
          this.#state = SIZE;
          break;
        case LAST_CR:
          if (byte !== CR) return 'It has trailers.';
          this.#state = LAST_LF;
          break;
        case LAST_LF:
          if (byte !== LF) return NO_LINE_END;
          this.#state = DONE;
          break;
        default:
          return 'There are bytes after its end.';
      }
    }
    return null;
  }

  #take(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#size);
    if (this.to === this.from) {
      this.from = at;
      this.to = next;
    } else {
      bytes.copyWithin(this.to, at, next);
      this.to += next - at;
    }
    this.#size -= next - at;
    if (this.#size === 0) this.#state = DATA_CR;
    return next;
  }
}

const NO_LINE_END = 'It has a bare CR.';

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
