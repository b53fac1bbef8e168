import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './blocks.ts';

const README = 'README.md';
/** Every folder that holds code of its own. */
const folders = [
  ...new Set(globSync('{src,test}/*/**/*.{ts,py}', { cwd: ROOT, exclude: ['**/node_modules'] }).map(dirname)),
].toSorted();

/** A line about the folder, by its name, in the README of the folder that holds it or of one above. */
function isListed(folder: string): boolean {
  const line = new RegExp(`^(?:\\||-) \`${basename(folder)}/\`(?: *\\||:)`, 'm');
  for (let above = dirname(folder); above !== '.'; above = dirname(above)) {
    const readme = join(ROOT, above, README);
    if (existsSync(readme) && line.test(readFileSync(readme, 'utf8'))) return true;
  }
  return false;
}

/** What mirrors a folder of `src` needs no words of its own. */
function isDescribed(folder: string): boolean {
  const mirrored = folder.replace(/^test\//, 'src/');
  return [folder, mirrored].some(
    (at) => existsSync(join(ROOT, at, README)) || (existsSync(join(ROOT, at)) && isListed(at)),
  );
}

test('every folder says in a sentence what it is for', () => {
  expect(folders.filter((folder) => !isDescribed(folder))).toEqual([]);
});
