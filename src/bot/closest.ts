import { editDistance } from '../domain/edit-distance.ts';

/**
 * The candidate that was probably meant: one edit away in a short word, two in a longer one; null where none
 * is.
 */
export function closest(typed: string, candidates: readonly string[]): string | null {
  if (typed.length > 40) return null;
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const name of candidates) {
    const edits = editDistance(typed.toLowerCase(), name);
    const allowed = Math.min(typed.length, name.length) < 5 ? 1 : 2;
    if (edits <= allowed && (best === null || edits < best.edits)) best = { name, edits };
  }
  return best?.name ?? null;
}
