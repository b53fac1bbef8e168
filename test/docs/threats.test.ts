import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, textOf } from './blocks.ts';

const PAGE = 'docs/threats.md';
const TEST_FILE = /^[\w/-]+(?:\.slow|\.property)*\.test\.ts$/;

/** The cells of each row of the page's tables, without heads and rules. */
const rows = textOf(PAGE)
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:-+|might try to) /.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );

test.each(rows)('%s: shown by tests that exist', (...cells) => {
  expect(cells).toHaveLength(3);
  const named = [...(cells[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  expect(named).not.toEqual([]);
  expect(named.filter((name) => !TEST_FILE.test(name) || !existsSync(join(ROOT, 'test', name)))).toEqual([]);
});

test('each kind of person has a table', () => {
  const parts = textOf(PAGE).split(/^## /m).slice(1);
  const last = parts.pop();
  expect(last).toMatch(/^Not defended, and why\n/);
  expect(parts).toHaveLength(7);
  for (const part of parts) expect(part).toMatch(/^\| might try to +\| what happens +\| shown by +\|$/m);
});
