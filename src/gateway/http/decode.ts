/**
 * Controls, line and paragraph separators, direction marks, byte order mark: nothing of that belongs in an
 * id.
 */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

/**
 * Decodes percent-encoding once, strictly: complete escapes, valid UTF-8, and nothing left that a second
 * decoding would change. Null where two readers might read two things.
 * @param whitespace lets tabs and line ends through, for JSON in a query
 */
export function decodeOnce(raw: string, whitespace = false): string | null {
  if (!raw.includes('%')) return UNSEEN.test(raw) ? null : raw;
  try {
    // Throws for an escape that is not complete, and for what is not UTF-8 (ECMA-262, "Decode"): no overlong
    // forms, no surrogates.
    const text = decodeURIComponent(raw);
    if (UNSEEN.test(whitespace ? text.replaceAll(/[\t\n\r]/g, '') : text)) return null;
    return text;
  } catch {
    return null;
  }
}

/**
 * Whether a second decoding would give something else: `%252F` is `%2F` to us and `/` to anything that decodes
 * again.
 */
export function decodesAgain(text: string): boolean {
  return /%[0-9A-Fa-f]{2}/.test(text);
}
