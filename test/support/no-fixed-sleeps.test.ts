import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
/** `wait.ts` is where waiting is done; the pace of load and the length of outages are what the others are about. */
const ALLOWED = [join('support', 'wait.ts'), `bench${sep}`, `chaos${sep}`];
const SLEEPS = [
  /import \{[^}]*\bsetTimeout\b[^}]*\} from 'node:timers\/promises'/,
  /\bsetTimeout\(\s*(?:resolve|done|r|\(\) => (?:resolve|done|r)\()/,
];

test('no test sleeps for a fixed time: test/support/wait.ts says how to wait instead', () => {
  const sleeping = globSync('**/*.ts', { cwd: ROOT })
    .filter((file) => !ALLOWED.some((allowed) => file.startsWith(allowed)))
    .filter((file) => SLEEPS.some((sleep) => sleep.test(readFileSync(join(ROOT, file), 'utf8'))));
  expect(sleeping).toEqual([]);
});
