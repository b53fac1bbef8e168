/**
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, replacements, swaps of
 * neighbours.
 */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The candidate that was probably meant: one slip away in a short word, two in a longer one; null where none
 * is.
 */
export function closest(typed: string, candidates: readonly string[]): string | null {
  if (typed.length > 40) return null;
  let best: { readonly name: string; readonly slips: number } | null = null;
  for (const name of candidates) {
    const slips = distance(typed.toLowerCase(), name);
    const allowed = Math.min(typed.length, name.length) < 5 ? 1 : 2;
    if (slips <= allowed && (best === null || slips < best.slips)) best = { name, slips };
  }
  return best?.name ?? null;
}
