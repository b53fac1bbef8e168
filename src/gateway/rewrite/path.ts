/**
 * Each pattern cut up once: the texts around its parameters, and their names. There are as many as the code
 * has.
 */
const CUT = new Map<string, readonly string[]>();

/** Fills a path's `{parameters}`, each encoded again. @param pattern a constant of ours */
export function pathOf(pattern: string, params: Readonly<Record<string, string>>): string {
  let pieces = CUT.get(pattern);
  if (pieces === undefined) {
    // Split by a group, the texts have even places, the names odd ones.
    pieces = pattern.split(/\{(\w+)\}/);
    CUT.set(pattern, pieces);
  }
  let path = pieces[0] ?? '';
  for (let at = 1; at < pieces.length; at += 2)
    path += encodeURIComponent(params[pieces[at] ?? ''] ?? '') + (pieces[at + 1] ?? '');
  return path;
}
