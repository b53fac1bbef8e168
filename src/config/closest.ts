import { editDistance } from '../domain/edit-distance.ts';

/** The known word nearest to a mistyped one, or null where none is near. */
export function closest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits);
  const [best] = ranked;
  if (best === undefined || best.edits > Math.max(1, Math.floor(best.candidate.length / 3))) return null;
  return best.candidate;
}
