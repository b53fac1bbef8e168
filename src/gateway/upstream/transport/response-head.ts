import { lengthIn, saysClose, textOf, timeoutIn } from './header-value.ts';
import type { ResponseHead } from './transport.ts';

/** Status line and headers together; the limit of Node's own parser. */
export const MAX_HEAD_BYTES = 16_384;
const MAX_FIELDS = 128;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const DELETE = 0x7f;

/** RFC 9112, 4: status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF. `#` is a digit. */
const STATUS_LINE = 'HTTP/1.# ### ';
const DIGIT = STATUS_LINE.charCodeAt(7);

/** 1 for each byte that is allowed in a token, such as a header name (RFC 9110, 5.6.2). */
const IS_TOKEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** A response's head, and what it says about the body and the connection. */
export type ParsedHead = ResponseHead & {
  /** Offset of the body. */
  readonly end: number;
  readonly chunked: boolean;
  /** Whether the server keeps the connection open. */
  readonly persistent: boolean;
  /** For how long when idle, if it says so; otherwise Infinity. */
  readonly keepAliveSeconds: number;
};

/**
 * Parses the head of a response by one strict grammar. Whatever two parsers could read differently is
 * refused: they could then also disagree about where the next response begins (RFC 9112, 11).
 * @returns null if it is incomplete; a sentence if it is refused
 */
export function parseHead(bytes: Buffer, from: number, to: number): ParsedHead | string | null {
  const limit = Math.min(to, from + MAX_HEAD_BYTES);
  const missing = to - from > MAX_HEAD_BYTES ? 'Its head is too long.' : null;

  let at = from;
  for (let next = 0; next < STATUS_LINE.length; next++, at++) {
    if (at === limit) return missing;
    const byte = bytes[at] as number;
    const wanted = STATUS_LINE.charCodeAt(next);
    if (wanted === DIGIT ? byte < ZERO || byte > NINE : byte !== wanted) return NO_STATUS_LINE;
  }
  const minor = digitAt(bytes, from + 7);
  const status = digitAt(bytes, from + 9) * 100 + digitAt(bytes, from + 10) * 10 + digitAt(bytes, from + 11);
  // RFC 9110, 15: only 100 to 599 have a meaning.
  if (minor > 1 || status < 100 || status > 599) return NO_STATUS_LINE;
  while (at < limit && isText(bytes[at] as number)) at++;
  if (at === limit) return missing;
  if (bytes[at] !== CR) return NO_STATUS_LINE;
  if (++at === limit) return missing;
  if (bytes[at++] !== LF) return BARE_CR;

  let contentType: string | null = null;
  let contentEncoding: string | null = null;
  let contentLength: number | null = null;
  let retryAfter: string | null = null;
  let keepAliveSeconds = Infinity;
  let chunked = false;
  // RFC 9112, 9.3: HTTP/1.0 closes by default; we do not reuse such a connection even if it says keep-alive.
  let persistent = minor === 1;

  for (let fields = 0; ; fields++) {
    if (at === limit) return missing;
    if (bytes[at] === CR) {
      if (++at === limit) return missing;
      if (bytes[at++] !== LF) return BARE_CR;
      break;
    }
    if (fields === MAX_FIELDS) return 'It has too many headers.';
    // RFC 9112, 5: field-line = field-name ":" OWS field-value OWS. This also refuses folded values (5.2) and
    // a space before the colon (5.1): a space is no token character.
    const name = at;
    while (at < limit && IS_TOKEN[bytes[at] as number] === 1) at++;
    if (at === limit) return missing;
    if (at === name || bytes[at] !== COLON) return 'A header name is not a token.';
    const nameLength = at++ - name;
    while (at < limit && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    const value = at;
    while (at < limit && isText(bytes[at] as number)) at++;
    if (at === limit) return missing;
    const end = at;
    // RFC 9110, 5.5 and RFC 9112, 2.2: no NUL or other control character, no bare CR or LF.
    if (bytes[at] !== CR) return 'A header has a control character.';
    if (++at === limit) return missing;
    if (bytes[at++] !== LF) return BARE_CR;

    switch (nameLength) {
      case 10:
        if (isToken(bytes, name, 'connection')) persistent &&= !saysClose(textOf(bytes, value, end));
        else if (isToken(bytes, name, 'keep-alive'))
          keepAliveSeconds = Math.min(keepAliveSeconds, timeoutIn(textOf(bytes, value, end)));
        break;
      case 11:
        if (!isToken(bytes, name, 'retry-after')) break;
        if (retryAfter !== null) return 'It has Retry-After more than once.';
        retryAfter = textOf(bytes, value, end);
        break;
      case 12:
        if (!isToken(bytes, name, 'content-type')) break;
        if (contentType !== null) return 'It has Content-Type more than once.';
        contentType = textOf(bytes, value, end);
        break;
      case 14:
        if (!isToken(bytes, name, 'content-length')) break;
        // RFC 9112, 6.3: several, or a list, are refused even if they are equal.
        if (contentLength !== null) return 'It has Content-Length more than once.';
        contentLength = lengthIn(bytes, value, end);
        if (contentLength === null) return 'Its Content-Length is not a number.';
        break;
      case 16:
        if (!isToken(bytes, name, 'content-encoding')) break;
        // RFC 9110, 5.3: several lines are one list.
        contentEncoding =
          (contentEncoding === null ? '' : `${contentEncoding}, `) + textOf(bytes, value, end);
        break;
      case 17:
        if (!isToken(bytes, name, 'transfer-encoding')) break;
        // RFC 9112, 6.1 and 7: `chunked`, once and with nothing else; we sent no TE, so nothing else is
        // allowed. With a trailing tab, undici takes the chunk headers for part of the body.
        if (chunked || end - value !== 7 || !isToken(bytes, value, 'chunked'))
          return 'Its Transfer-Encoding is not chunked.';
        chunked = true;
        break;
      default:
    }
  }
  // RFC 9112, 6.1 and 6.3: both are signs of response splitting.
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

const NO_STATUS_LINE = 'It does not start with a status line.';
const BARE_CR = 'It has a bare CR.';

function digitAt(bytes: Buffer, at: number): number {
  return (bytes[at] as number) - ZERO;
}

/** Allowed in a value or a reason phrase (RFC 9110, 5.5): no control character except the tab. */
function isText(byte: number): boolean {
  return byte < SPACE ? byte === TAB : byte !== DELETE;
}

/**
 * Compares without case. `token` is in lower case and as long; only letters have that bit free in a token.
 */
function isToken(bytes: Buffer, at: number, token: string): boolean {
  for (let next = 0; next < token.length; next++)
    if (((bytes[at + next] as number) | 0x20) !== token.charCodeAt(next)) return false;
  return true;
}
