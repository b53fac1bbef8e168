/**
 * Whether the text is one that the glob means: `*` stands for any characters, `?` for one, and case does not
 * count (spec appendix, "Glob-style matching", as Synapse reads it for settings). Takes time in proportion to
 * both lengths multiplied at worst, whatever somebody else wrote into the glob.
 */
export function globMatches(glob: string, text: string): boolean {
  const [pattern, subject] = [Array.from(glob.toLowerCase()), Array.from(text.toLowerCase())];
  let [at, star, resume] = [0, -1, 0];
  for (let index = 0; index < subject.length;) {
    if (pattern[at] === '*') [star, resume] = [at++, index];
    else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === subject[index])) {
      at++;
      index++;
    } else if (star === -1) return false;
    // The last star takes one character more.
    else [at, index] = [star + 1, ++resume];
  }
  return pattern.slice(at).every((rest) => rest === '*');
}
