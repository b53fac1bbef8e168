/**
 * Words with a wildcard at their end: `m.room.message` is that word, `m.room.*` every word that begins so,
 * `*` every word. Of two such patterns one holds the other or they share nothing, so that an intersection
 * is again a list of patterns.
 */

/** Whether a text may be a pattern: not empty, and a `*` nowhere but at its end. */
export function isPattern(text: string): boolean {
  return text !== '' && !text.slice(0, -1).includes('*');
}

/** Whether the pattern ends in a wildcard. */
export function hasWildcard(pattern: string): boolean {
  return pattern.endsWith('*');
}

/** Whether the word is one that the pattern means. */
export function matchesPattern(pattern: string, word: string): boolean {
  return hasWildcard(pattern) ? word.startsWith(pattern.slice(0, -1)) : pattern === word;
}

/** Whether every word that `b` means is one that `a` means. */
export function covers(a: string, b: string): boolean {
  return hasWildcard(a) ? b.startsWith(a.slice(0, -1)) : a === b;
}

/** Parts of a whole that form a tree: of two, one lies in the other or they share nothing. */
type Within<T> = (wider: T, narrower: T) => boolean;

/** The shortest list that means the same, in the order of its text: equal meanings have equal lists. */
export function minimal<T>(
  items: readonly T[],
  within: Within<T>,
  textOf: (item: T) => string,
): readonly T[] {
  const kept = items.filter(
    (item, index) =>
      !items.some((other, at) => at !== index && within(other, item) && (!within(item, other) || at < index)),
  );
  return kept.toSorted((a, b) => compareText(textOf(a), textOf(b)));
}

/** Exactly what both lists match. `both` returns what two items share; null: nothing. */
export function intersect<T>(
  a: readonly T[],
  b: readonly T[],
  both: (one: T, other: T) => T | null,
): readonly T[] {
  return a.flatMap((one) => b.map((other) => both(one, other)).filter((part) => part !== null));
}

/** By code units: the same everywhere. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
