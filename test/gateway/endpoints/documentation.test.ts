import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decisionsInMarkdown, TABLE_BEGINS } from '../../../src/gateway/endpoints/documentation.ts';

/** Tables that differ only in their layout. */
const unset = (markdown: string) =>
  markdown
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();

test('docs/gateway.md says what the catalogue says; if not: npm run docs', () => {
  const [prose = '', table = '', ...more] = readFileSync(
    join(import.meta.dirname, '../../../docs/gateway.md'),
    'utf8',
  ).split(TABLE_BEGINS);
  expect(more).toEqual([]);
  expect(prose).toContain('# The gateway');
  expect(unset(table)).toBe(unset(decisionsInMarkdown()));
});
