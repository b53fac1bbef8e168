import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REFERENCE_MARKER, referenceInMarkdown } from '../../src/config/reference.ts';

/** Tables alike but for how they are set. */
const unset = (markdown: string) =>
  markdown
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();

test('docs/configuration.md says what the schema says; if not: npm run docs', () => {
  const [prose = '', tables = '', ...more] = readFileSync(
    join(import.meta.dirname, '../../docs/configuration.md'),
    'utf8',
  ).split(REFERENCE_MARKER);
  expect(more).toEqual([]);
  expect(prose).toContain('# The configuration');
  expect(unset(tables)).toBe(unset(referenceInMarkdown()));
});
