import { invalidResponse } from '../json-shape.ts';

/** Thrown where the bytes end in the middle of something: try again when there are more. */
export const NEED_MORE: Error = Object.freeze(new Error('more bytes are needed'));

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
const BACKSLASH = 0x5c;
export const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;

/** What stands for itself in a string. Bytes of 0x80 and more do: that they are UTF-8 is checked before. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
const HEX = new Set(Buffer.from('0123456789abcdefABCDEF'));
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));
/** Longer numbers are read by `JSON.parse`: it may make Infinity of them. */
const MAX_PLAIN_NUMBER = 300;
/** Nothing that is a number has more characters. */
const MAX_NUMBER = 65_536;
const INITIAL_BYTES = 131_072;

/**
 * Reads JSON tokens, strictly (RFC 8259), from bytes that come in pieces. What was read is forgotten when
 * more bytes come, so positions are good until then.
 */
export class Scanner {
  buf: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  pos = 0;
  end = 0;
  /** Whether the string that was read last has an escape in it. */
  isEscaped = false;
  /** Whether the number that was read last may be written in another way by `JSON.stringify`. */
  isOddNumber = false;

  constructor() {
    this.buf[0] = 0;
  }

  /** Starts again with other bytes. */
  reset(): void {
    this.pos = 0;
    this.end = 0;
    this.buf[0] = 0;
  }

  /** Takes more bytes, moves what was not read yet to the front. @returns by how much positions shift */
  append(bytes: Uint8Array): number {
    const shift = this.pos;
    const left = this.end - shift;
    const needed = left + bytes.length + 1;
    if (needed > this.buf.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buf.length * 2));
      this.buf.copy(larger, 0, shift, this.end);
      this.buf = larger;
    } else if (left > 0 && shift > 0) this.buf.copyWithin(0, shift, this.end);
    this.buf.set(bytes, left);
    this.pos = 0;
    this.end = left + bytes.length;
    // No token has a NUL in it, so no loop over bytes runs past the end.
    this.buf[this.end] = 0;
    return shift;
  }

  /** What is wrong at a byte that does not belong there. */
  fault(at: number): Error {
    return at >= this.end ? NEED_MORE : invalidResponse('JSON');
  }

  /** Skips white space. @returns the byte that follows */
  space(): number {
    const { buf } = this;
    let at = this.pos;
    let byte = buf[at] as number;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = buf[++at] as number;
    this.pos = at;
    return byte;
  }

  /** Reads a string, from quote to quote. */
  string(): void {
    if (this.buf[this.pos] !== QUOTE) throw this.fault(this.pos);
    this.isEscaped = false;
    this.pos++;
    this.stringRest();
  }

  /** Reads the rest of a string. Where the bytes end first, `pos` is where to go on. */
  stringRest(): void {
    const { buf } = this;
    let at = this.pos;
    for (;;) {
      while (PLAIN[buf[at] as number] === 1) at++;
      const byte = buf[at];
      this.pos = at;
      if (byte === QUOTE) {
        this.pos = at + 1;
        return;
      }
      if (byte !== BACKSLASH) throw this.fault(at);
      this.isEscaped = true;
      at = this.escape(at + 1);
    }
  }

  private escape(at: number): number {
    const byte = this.buf[at] as number;
    if (ESCAPED.has(byte)) return at + 1;
    if (byte !== 0x75) throw this.fault(at);
    for (let digit = at + 1; digit < at + 5; digit++)
      if (!HEX.has(this.buf[digit] as number)) throw this.fault(digit);
    return at + 5;
  }

  /** Skips a colon and the white space around it. @returns the byte that follows, which is there */
  colon(): number {
    if (this.space() !== COLON) throw this.fault(this.pos);
    this.pos++;
    const byte = this.space();
    if (this.pos >= this.end) throw NEED_MORE;
    return byte;
  }

  /** Reads a number. */
  number(): void {
    const { buf } = this;
    const start = this.pos;
    let at = start;
    let odd = false;
    if (buf[at] === MINUS) at++;
    if (buf[at] === ZERO) {
      odd = at > start;
      at++;
    } else at = this.digits(at);
    if (buf[at] === 0x2e) at = this.digits(at + 1);
    if (((buf[at] as number) | 0x20) === 0x65) {
      odd = true;
      at++;
      if (buf[at] === 0x2b || buf[at] === MINUS) at++;
      at = this.digits(at);
    }
    if (at >= this.end) {
      if (at - start > MAX_NUMBER) throw invalidResponse('JSON');
      throw NEED_MORE;
    }
    this.isOddNumber = odd || at - start > MAX_PLAIN_NUMBER;
    this.pos = at;
  }

  private digits(from: number): number {
    const { buf } = this;
    let at = from;
    while ((buf[at] as number) >= ZERO && (buf[at] as number) <= 0x39) at++;
    if (at === from) throw this.fault(at);
    return at;
  }

  /** Reads `true`, `false` or `null`. */
  literal(): void {
    const first = this.buf[this.pos];
    const word = LITERALS.find((one) => one[0] === first);
    if (word === undefined) throw this.fault(this.pos);
    for (let at = 1; at < word.length; at++)
      if (this.buf[this.pos + at] !== word[at]) throw this.fault(this.pos + at);
    this.pos += word.length;
  }

  /** Reads a string, number or literal. */
  scalar(byte: number): void {
    if (byte === QUOTE) this.string();
    else if (byte === MINUS || (byte >= ZERO && byte <= 0x39)) this.number();
    else this.literal();
  }

  /** The JSON between these positions as text. */
  text(start: number, end: number): string {
    return this.buf.toString('utf8', start, end);
  }

  /** The value of a string, quotes included. */
  value(start: number, end: number): string {
    if (this.isEscapedBetween(start, end)) return JSON.parse(this.text(start, end)) as string;
    return this.text(start + 1, end - 1);
  }

  /** Whether a string has an escape in it. */
  isEscapedBetween(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.buf[at] === BACKSLASH) return true;
    return false;
  }

  /** Whether these bytes stand there. */
  has(bytes: Uint8Array, start: number): boolean {
    const { buf } = this;
    for (let at = 0; at < bytes.length; at++) if (buf[start + at] !== bytes[at]) return false;
    return true;
  }
}
