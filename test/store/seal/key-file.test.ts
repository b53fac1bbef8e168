import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadKey, loadOrCreateKey } from '../../../src/store/seal/index.ts';
import { scratchFolder } from '../scratch.ts';

describe('the key file', () => {
  it('is made once, for its owner alone, and read back the same', async () => {
    await using scratch = await scratchFolder();
    const file = join(scratch.folder, 'state', 'seal.key');
    const made = await loadOrCreateKey(file);
    expect(made.key.byteLength).toBe(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(scratch.folder, 'state'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(scratch.folder, 'state'))).toEqual(['seal.key']);
    expect(await loadOrCreateKey(file)).toEqual(made);
    expect(await loadKey(file)).toEqual(made);
  });

  it('is one key, however many make it at once', async () => {
    await using scratch = await scratchFolder();
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(scratch.file)));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect(await readdir(scratch.folder)).toHaveLength(1);
  });

  it('is named by a digest that does not give it away', async () => {
    await using scratch = await scratchFolder();
    const { id, key } = await loadOrCreateKey(scratch.file);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(Buffer.from(key).toString('hex')).not.toContain(id);
  });

  it('is refused when others can read it, with the line that helps', async () => {
    await using scratch = await scratchFolder();
    await loadOrCreateKey(scratch.file);
    for (const mode of [0o640, 0o604, 0o660, 0o601]) {
      await chmod(scratch.file, mode);
      await expect(loadOrCreateKey(scratch.file)).rejects.toMatchObject({
        code: 'state',
        hint: `chmod 600 '${scratch.file}'`,
      });
    }
  });

  it('is never replaced by a new one when it is damaged: all that was sealed would be lost', async () => {
    await using scratch = await scratchFolder();
    const contents = [
      '',
      '\n',
      'short',
      randomBytes(31).toString('base64url'),
      randomBytes(33).toString('base64url'),
      `${'A'.repeat(42)}!`,
      `${randomBytes(32).toString('base64url')} x`,
    ];
    for (const content of contents) {
      await writeFile(scratch.file, content, { mode: 0o600 });
      await expect(loadOrCreateKey(scratch.file)).rejects.toMatchObject({
        code: 'state',
        message: expect.stringContaining('not a sealing key'),
      });
      expect(await readFile(scratch.file, 'utf8')).toBe(content);
    }
  });

  it('that is missing is an error where it has to be there', async () => {
    await using scratch = await scratchFolder();
    await expect(loadKey(scratch.file)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('no sealing key'),
    });
    expect(await readdir(scratch.folder)).toEqual([]);
  });

  it('that cannot be read is no missing key', async () => {
    await using scratch = await scratchFolder();
    await mkdir(scratch.file, { mode: 0o700 });
    await expect(loadOrCreateKey(scratch.file)).rejects.toMatchObject({ code: 'state' });
    await writeFile(join(scratch.folder, 'plain'), '');
    await expect(loadOrCreateKey(join(scratch.folder, 'plain', 'seal.key'))).rejects.toMatchObject({
      code: 'state',
    });
  });
});
