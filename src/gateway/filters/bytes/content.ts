import { type MediaAddress, parseMediaAddress } from '../../../domain/media-address.ts';
import { isObject, type JsonObject } from '../json-shape.ts';
import {
  COPIED_KEY,
  MAX_MEDIA_DEPTH,
  MAX_MEDIA_VALUES,
  MEDIA_KEYS,
  mediaAddressesIn,
} from '../../../domain/media-reference.ts';
import type { Output } from './output.ts';
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE, type Scanner } from './scanner.ts';

/** Thrown where something is nested deeper than is passed on. */
export const TOO_DEEP: Error = Object.freeze(new Error('nested too deep'));
/** How deep what is passed on may be nested. */
export const MAX_DEPTH = 100;
/** What has to be parsed may have so many bytes: that is as large as an event can be. */
export const MAX_PARSED_BYTES = 65_536;

const MEDIA = [...MEDIA_KEYS].map((key) => Buffer.from(key));
const COPIED = Buffer.from(COPIED_KEY);
const MXC = Buffer.from('"mxc:');
/** Up to so many keys of an object are compared with each other; beyond, they are put into a set. */
const COMPARED_KEYS = 12;

/**
 * Passes objects on whose keys are not looked at, as they are: strictly checked, and written again where
 * readers could disagree about them, since a key is in there twice or a number is too large.
 */
export class Content {
  /** The addresses of media in the content that was read last. */
  media: readonly MediaAddress[] | null = null;
  readonly #scan: Scanner;
  readonly #out: Output;
  #isOdd = false;
  #values = 0;
  #keys = new Int32Array(512);
  #keysTop = 0;
  #found: number[] = [];

  constructor(scan: Scanner, out: Output) {
    this.#scan = scan;
    this.#out = out;
  }

  /**
   * Passes on the object at the scanner's position. @param looksForMedia whether it is an event's content
   * @returns whether it was written: false where it is odd and too large to be parsed
   */
  pass(looksForMedia: boolean): boolean {
    const scan = this.#scan;
    const start = scan.pos;
    this.#isOdd = false;
    this.#values = 0;
    this.#keysTop = 0;
    this.#found.length = 0;
    this.media = null;
    this.#object(looksForMedia ? 1 : 0, 1);
    const { pos } = scan;
    const wantsTree = this.#isOdd || (this.#found.length > 0 && this.#values > MAX_MEDIA_VALUES);
    if (!wantsTree) {
      this.#out.span(start, pos);
      if (this.#found.length > 0) this.#take();
      return true;
    }
    const fits = pos - start <= MAX_PARSED_BYTES;
    const parsed: unknown = fits ? JSON.parse(scan.text(start, pos)) : null;
    if (isObject(parsed) && looksForMedia) this.media = [...(mediaAddressesIn(parsed) ?? [])];
    if (!this.#isOdd) this.#out.span(start, pos);
    else if (isObject(parsed)) this.#write(parsed);
    else return false;
    return true;
  }

  #write(parsed: JsonObject): void {
    this.#out.bytes(Buffer.from(JSON.stringify(parsed)));
  }

  #take(): void {
    const media: MediaAddress[] = [];
    for (let at = 0; at < this.#found.length; at += 2) {
      const uri = this.#scan.value(this.#found[at] as number, this.#found[at + 1] as number);
      const address = parseMediaAddress(uri);
      if (address !== null && !media.includes(address)) media.push(address);
    }
    this.media = media;
  }

  #value(byte: number, level: number, depth: number): void {
    if (byte === OPEN_OBJECT) this.#object(level, depth);
    else if (byte === OPEN_LIST) this.#list(level, depth);
    else {
      const scan = this.#scan;
      scan.isOddNumber = false;
      scan.scalar(byte);
      if (scan.isOddNumber) this.#isOdd = true;
    }
  }

  /** @param level how deep addresses are looked for here; 0: not at all */
  #object(level: number, depth: number): void {
    if (depth > MAX_DEPTH) throw TOO_DEEP;
    const scan = this.#scan;
    const base = this.#keysTop;
    let keys: Set<string> | null = null;
    scan.pos++;
    if (scan.space() === CLOSE_OBJECT) {
      scan.pos++;
      return;
    }
    for (;;) {
      const key = scan.pos;
      scan.string();
      const length = scan.pos - key;
      if (scan.isEscaped) this.#isOdd = true;
      else if (keys !== null) {
        const text = scan.text(key, scan.pos);
        if (keys.has(text)) this.#isOdd = true;
        keys.add(text);
      } else if (this.#isRepeated(base, key, length)) this.#isOdd = true;
      else if (this.#keysTop - base > COMPARED_KEYS * 2) keys = this.#setOf(base);
      const byte = scan.colon();
      if (level === 0) this.#value(byte, 0, depth + 1);
      else this.#member(byte, level, depth, key, length);
      const next = scan.space();
      scan.pos++;
      if (next === CLOSE_OBJECT) break;
      if (next !== COMMA) throw scan.fault(scan.pos - 1);
      scan.space();
    }
    this.#keysTop = base;
  }

  #member(byte: number, level: number, depth: number, key: number, length: number): void {
    const scan = this.#scan;
    this.#values++;
    if (byte === QUOTE) {
      const start = scan.pos;
      scan.string();
      if ((scan.isEscaped || scan.has(MXC, start)) && this.#isMediaKey(key, length))
        this.#found.push(start, scan.pos);
      return;
    }
    const copied = length === COPIED.length + 2 && scan.has(COPIED, key + 1);
    this.#value(byte, level < MAX_MEDIA_DEPTH && !copied ? level + 1 : 0, depth + 1);
  }

  #isMediaKey(key: number, length: number): boolean {
    for (const one of MEDIA) if (one.length + 2 === length && this.#scan.has(one, key + 1)) return true;
    return false;
  }

  #list(level: number, depth: number): void {
    if (depth > MAX_DEPTH) throw TOO_DEEP;
    const scan = this.#scan;
    scan.pos++;
    let byte = scan.space();
    if (byte === CLOSE_LIST) {
      scan.pos++;
      return;
    }
    const inner = level > 0 && level < MAX_MEDIA_DEPTH ? level + 1 : 0;
    for (;;) {
      if (level > 0) this.#values++;
      this.#value(byte, inner, depth + 1);
      const next = scan.space();
      scan.pos++;
      if (next === CLOSE_LIST) return;
      if (next !== COMMA) throw scan.fault(scan.pos - 1);
      byte = scan.space();
    }
  }

  /** Whether the object, whose keys are remembered from `base` on, has the key already; remembers it. */
  #isRepeated(base: number, key: number, length: number): boolean {
    const { buf } = this.#scan;
    const keys = this.#keys;
    const top = this.#keysTop;
    for (let at = base; at < top; at += 2) {
      if (keys[at + 1] !== length) continue;
      const other = keys[at] as number;
      let same = 1;
      while (same < length && buf[other + same] === buf[key + same]) same++;
      if (same === length) return true;
    }
    if (top + 2 > keys.length) {
      this.#keys = new Int32Array(keys.length * 2);
      this.#keys.set(keys);
    }
    this.#keys[top] = key;
    this.#keys[top + 1] = length;
    this.#keysTop = top + 2;
    return false;
  }

  #setOf(base: number): Set<string> {
    const keys = new Set<string>();
    for (let at = base; at < this.#keysTop; at += 2) {
      const key = this.#keys[at] as number;
      keys.add(this.#scan.text(key, key + (this.#keys[at + 1] as number)));
    }
    return keys;
  }
}
