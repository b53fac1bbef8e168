import { ambiguous, type GatewayResponse } from './response.ts';
import { decodeOnce, decodesAgain } from './decode.ts';
import { parseQuery, type Query } from './query.ts';

/**
 * One segment of a path as it came and decoded once. Literals are compared with `raw`, parameters take
 * `text`.
 */
export type Segment = { readonly raw: string; readonly text: string };

/** A request target, read. */
export type Target = {
  readonly segments: readonly Segment[];
  readonly query: Query;
  /** A segment has a slash in it, encoded: there are ids with one. Whether it may be there, its parameter says. */
  readonly hasEncodedSlash: boolean;
};

/** RFC 3986 `pchar` and the slash: nothing else belongs in a path. */
const PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
/** A segment that is dots alone, or as some servers read it (`..;x`). */
const DOTS = /^\.{1,2}(?:;|$)/;
const NEEDLESS = /%(?:3[0-9]|4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])/;

/**
 * Reads an origin-form request target (RFC 9112, 3.2.1). What could be read in two ways is refused, not
 * tidied: absolute form, dot segments, empty segments, also behind encoded slashes, letters and digits that are
 * encoded without need, anything a second decoding would change. A last empty segment (a trailing slash)
 * stays, for the endpoints that have one.
 */
export function parseTarget(raw: string): Target | GatewayResponse {
  const question = raw.indexOf('?');
  const path = question === -1 ? raw : raw.slice(0, question);
  if (!PATH.test(path)) return ambiguous('the path has characters that do not belong in one');
  const segments: Segment[] = [];
  const pieces = path.slice(1).split('/');
  let left = pieces.length;
  let hasEncodedSlash = false;
  for (const piece of pieces) {
    left--;
    if (piece === '' && left > 0) return ambiguous('the path has an empty segment');
    if (piece.startsWith('.') && DOTS.test(piece)) return ambiguous('the path has a dot segment');
    const text = piece.includes('%') ? decoded(piece) : piece;
    if (typeof text !== 'string') return text;
    if (text !== piece && text.includes('/')) hasEncodedSlash = true;
    segments.push({ raw: piece, text });
  }
  const query = parseQuery(question === -1 ? '' : raw.slice(question + 1));
  return 'status' in query ? query : { segments, query, hasEncodedSlash };
}

/** An encoded slash or backslash where none belongs. */
export const ENCODED_SLASH = ambiguous('the path has an encoded slash');

/** What a segment with escapes says, or why it is refused. */
function decoded(piece: string): string | GatewayResponse {
  const text = decodeOnce(piece);
  if (text === null) return ambiguous('the path is not well encoded');
  if (text.includes('\\')) return ENCODED_SLASH;
  // What decodes it before it looks at the path would find these.
  for (const part of text.split('/')) {
    if (part === '') return ENCODED_SLASH;
    if (DOTS.test(part)) return ambiguous('the path has a dot segment');
  }
  if (decodesAgain(text)) return ambiguous('the path is encoded twice');
  return NEEDLESS.test(piece) ? ambiguous('the path encodes letters or digits') : text;
}
