import { IS_TEXT, IS_TOKEN } from './characters.ts';
import type { ResponseHead } from './transport.ts';

/** Lines and status together, in bytes: as Node's own parser and undici have it. */
export const MAX_HEAD_BYTES = 16_384;
const MAX_FIELDS = 128;
/** Fifteen digits are exact as a number. */
const MAX_LENGTH_DIGITS = 15;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const COLON = 0x3a;
const VERSION = 'HTTP/1.';

/** An answer's head, and what it says of the body and the connection. */
export type ParsedHead = ResponseHead & {
  /** Where the body begins. */
  readonly end: number;
  readonly chunked: boolean;
  /** Whether the server will keep the connection. */
  readonly persistent: boolean;
  /** How long it keeps it when idle, in seconds, where it says so. */
  readonly keepAliveSeconds: number | null;
};

/** Where a header's value stands. */
const value = { from: 0, to: 0 };

/**
 * Reads an answer's head by one strict grammar: what two readers could understand differently is refused, since
 * then they could also disagree where the next answer begins (request smuggling, RFC 9112, 11).
 * @returns null where more must come first; a sentence where it is refused
 */
export function parseHead(bytes: Buffer, from: number, to: number): ParsedHead | string | null {
  const limit = Math.min(to, from + MAX_HEAD_BYTES);
  const missing = to - from > MAX_HEAD_BYTES ? 'Its head is too long.' : null;

  // RFC 9112, 4: status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF
  let at = from;
  for (let next = 0; next < VERSION.length; next++, at++) {
    if (at === limit) return missing;
    if (bytes[at] !== VERSION.charCodeAt(next)) return NO_STATUS_LINE;
  }
  let minor = 0;
  let status = 0;
  // "1 200 " is left: the minor version, then three digits between spaces.
  for (let next = 0; next < 6; next++, at++) {
    if (at === limit) return missing;
    const byte = bytes[at] as number;
    if (next === 1 || next === 5) {
      if (byte !== SPACE) return NO_STATUS_LINE;
      continue;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) return NO_STATUS_LINE;
    if (next === 0) minor = digit;
    else status = status * 10 + digit;
  }
  // RFC 9110, 15: 100 to 599; others have no meaning.
  if (minor > 1 || status < 100 || status > 599) return NO_STATUS_LINE;
  while (at < limit && IS_TEXT[bytes[at] as number] === 1) at++;
  if (at === limit) return missing;
  if (bytes[at] !== CR) return NO_STATUS_LINE;
  if (++at === limit) return missing;
  if (bytes[at++] !== LF) return NO_STATUS_LINE;

  let contentType: string | null = null;
  let contentEncoding: string | null = null;
  let contentLength: number | null = null;
  let retryAfter: string | null = null;
  let keepAliveSeconds: number | null = null;
  let chunked = false;
  // RFC 9112, 9.3: HTTP/1.0 keeps no connection unless it says so; we do not rely on that.
  let persistent = minor === 1;

  for (let fields = 0; ; fields++) {
    if (at === limit) return missing;
    if (bytes[at] === CR) {
      if (++at === limit) return missing;
      if (bytes[at] !== LF) return BARE_CR;
      at++;
      break;
    }
    if (fields === MAX_FIELDS) return 'It has too many headers.';
    // RFC 9112, 5: field-line = field-name ":" OWS field-value OWS. A line that begins with a space would be a
    // folded value (5.2), a space before the colon is refused too (5.1): neither is a token.
    const name = at;
    while (at < limit && IS_TOKEN[bytes[at] as number] === 1) at++;
    if (at === limit) return missing;
    if (at === name || bytes[at] !== COLON) return 'A header has a name that is no token.';
    const nameLength = at++ - name;
    while (at < limit && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    value.from = at;
    while (at < limit && IS_TEXT[bytes[at] as number] === 1) at++;
    if (at === limit) return missing;
    value.to = at;
    // RFC 9110, 5.5 and RFC 9112, 2.2: no NUL, no other control, no CR or LF that stands alone.
    if (bytes[at] !== CR) return 'A header has a control character in it.';
    if (++at === limit) return missing;
    if (bytes[at++] !== LF) return BARE_CR;

    switch (nameLength) {
      case 10:
        if (isName(bytes, name, 'connection')) persistent &&= !saysClose(textOf(bytes));
        else if (isName(bytes, name, 'keep-alive')) keepAliveSeconds = timeoutIn(textOf(bytes));
        break;
      case 11:
        if (!isName(bytes, name, 'retry-after')) break;
        if (retryAfter !== null) return 'It has Retry-After more than once.';
        retryAfter = textOf(bytes);
        break;
      case 12:
        if (!isName(bytes, name, 'content-type')) break;
        if (contentType !== null) return 'It has Content-Type more than once.';
        contentType = textOf(bytes);
        break;
      case 14:
        if (!isName(bytes, name, 'content-length')) break;
        // RFC 9112, 6.3: more than one, or a list, is an unrecoverable error even where they are equal.
        if (contentLength !== null) return 'It has Content-Length more than once.';
        contentLength = lengthIn(bytes);
        if (contentLength === null) return 'Its Content-Length is no number.';
        break;
      case 16:
        if (!isName(bytes, name, 'content-encoding')) break;
        // RFC 9110, 5.3: lines of a list are one list.
        contentEncoding = contentEncoding === null ? textOf(bytes) : `${contentEncoding}, ${textOf(bytes)}`;
        break;
      case 17:
        if (!isName(bytes, name, 'transfer-encoding')) break;
        // RFC 9112, 6.1 and 7: chunked, once and alone. We have sent no TE, so nothing else may come.
        if (chunked || textOf(bytes).toLowerCase() !== 'chunked')
          return 'Its Transfer-Encoding is not chunked.';
        chunked = true;
        break;
      default:
    }
  }
  // RFC 9112, 6.1 and 6.3: each is how answers are smuggled.
  if (chunked && contentLength !== null) return 'It has both Transfer-Encoding and Content-Length.';
  if (chunked && minor === 0) return 'It has a Transfer-Encoding in HTTP/1.0.';
  return {
    status,
    contentType,
    contentEncoding,
    contentLength,
    retryAfter,
    end: at,
    chunked,
    persistent,
    keepAliveSeconds,
  };
}

const NO_STATUS_LINE = 'It does not begin with a status line.';
const BARE_CR = 'A carriage return stands alone.';

/** Whether a name is this one, which is in lower case and as long. In tokens the bit of case is free in letters alone. */
function isName(bytes: Buffer, at: number, name: string): boolean {
  for (let next = 0; next < name.length; next++)
    if (((bytes[at + next] as number) | 0x20) !== name.charCodeAt(next)) return false;
  return true;
}

const JSON_TYPE = 'application/json';

/** The value without the white space around it. */
function textOf(bytes: Buffer): string {
  let { to } = value;
  const { from } = value;
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  // Nearly every answer has this value: no new string for it.
  if (to - from !== JSON_TYPE.length) return bytes.toString('latin1', from, to);
  for (let next = 0; next < JSON_TYPE.length; next++)
    if (bytes[from + next] !== JSON_TYPE.charCodeAt(next)) return bytes.toString('latin1', from, to);
  return JSON_TYPE;
}

/** RFC 9110, 8.6: 1*DIGIT, no sign, no list; and nothing after it, since undici miscounts where a space is. */
function lengthIn(bytes: Buffer): number | null {
  const { from, to } = value;
  if (to === from || to - from > MAX_LENGTH_DIGITS) return null;
  let length = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return null;
    length = length * 10 + digit;
  }
  return length;
}

/** RFC 9110, 7.6.1: a list of options in any case. */
function saysClose(options: string): boolean {
  return options !== 'keep-alive' && /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(options);
}

function timeoutIn(parameters: string): number | null {
  const found = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i.exec(parameters);
  return found === null ? null : Number(found[1]);
}
