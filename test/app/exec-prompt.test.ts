import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { complete } from '../../src/app/command-line/prompt-completion.ts';
import {
  historyFile,
  loadHistory,
  saveHistory,
  isSafeToKeep,
} from '../../src/app/command-line/prompt-history.ts';
import { newToken } from '../../src/domain/token.ts';
import type { GrantId } from '../../src/domain/ids.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mw-prompt-'));
});
afterEach(async () => rm(folder, { recursive: true }));

const ids = async (): Promise<readonly string[]> => ['7F3K9Q', '7F3ZZZ', 'ABCDEF'];

test.each([
  ['', 'mint '],
  ['!rev', '!revoke '],
  ['re', 'revoke ', 'reload '],
  ['mint @alice --ro', '--rooms ', '--rooms-by '],
  ['mint @alice --rooms !x --rooms', '--rooms-by '],
  ['show 7f3', '7F3K9Q ', '7F3ZZZ '],
  ['!show ab', 'ABCDEF '],
  ['help pre', 'presets '],
  ['list 7'],
  ['nonsense 7'],
])('after “%s” Tab offers %s', async (line, ...offered) => {
  const [completions] = await complete(line, ids);
  if (line === '') expect(completions).toContain(offered[0]);
  else expect(completions).toEqual(offered);
});

test('the history is its owner’s alone, and holds no token', async () => {
  const file = join(folder, 'history');
  const token = newToken('7F3K9Q' as GrantId, (n) => new Uint8Array(n).fill(7));
  const lines = [
    'list',
    'list',
    `can ${token}`,
    'show syt_YWxpY2U_abc_def',
    `mint @alice --reason ${'s3cret'.repeat(11)}`,
    'mint @alice --rooms !_dDn1kut5YSer-wBSx_dDn1kut5YSer-wBSx1234567890',
  ];
  await saveHistory(file, lines);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).toBe(`list\n${lines.at(-1) ?? ''}\n`);
  expect(await loadHistory(file)).toEqual(['list', lines.at(-1)]);
  await saveHistory(
    file,
    Array.from({ length: 700 }, (_, index) => `show ${String(index)}`),
  );
  expect(await loadHistory(file)).toHaveLength(500);
  expect(isSafeToKeep(`curl -H 'Authorization: Bearer ${token}'`)).toBe(false);
});

test('there is no history where the environment says so, and none that cannot be read', async () => {
  expect(historyFile({ XDG_STATE_HOME: '/var/state' })).toBe('/var/state/mintwarden/history');
  expect(historyFile({ XDG_STATE_HOME: 'relative' })).toMatch(/\/\.local\/state\/mintwarden\/history$/);
  expect(await loadHistory(null)).toEqual([]);
  await saveHistory(null, ['list']);
  await writeFile(join(folder, 'file'), '');
  expect(await loadHistory(join(folder, 'file', 'history'))).toEqual([]);
  await saveHistory(join(folder, 'file', 'history'), ['list']);
});
