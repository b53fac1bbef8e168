import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOutFile } from '../../../src/app/exec/client/out-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mw-out-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test.skipIf(process.getuid?.() === 0)(
  'what is said to be not kept lies nowhere: a folder that can be written and not read',
  async () => {
    const drop = join(folder, 'drop');
    await mkdir(drop, { mode: 0o300 });
    {
      await using file = await openOutFile('token', drop);
      await expect(file.keep('mwt_secret')).rejects.toMatchObject({ code: 'state' });
    }
    await chmod(drop, 0o700);
    expect(await readdir(drop)).toEqual([]);
  },
);

test('a umask that takes nothing away opens the file to nobody, and no draft is left beside it', async () => {
  const before = process.umask(0);
  try {
    await using file = await openOutFile('token', folder);
    expect((await stat(join(folder, (await readdir(folder))[0] ?? ''))).mode & 0o777).toBe(0o600);
    await file.keep('mwt_secret');
  } finally {
    process.umask(before);
  }
  expect(await readdir(folder)).toEqual(['token']);
  expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600);
});
