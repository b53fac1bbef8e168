import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openCache } from '../../../src/store/keyv/index.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

const clock = { now: () => Date.now() };

describe('the cache', () => {
  it('keeps what it is given over a restart, each space apart', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log: keptLog(), clock };
    let cache = await openCache(options);
    const sync = cache.space<{ next: string }>('sync');
    await sync.set('token', { next: 's1' });
    await sync.set('token', { next: 's2' });
    await cache.space('filters').set('token', 7);
    await sync.setMany([
      { key: 'a', value: { next: 'a' } },
      { key: 'b', value: { next: 'b' } },
    ]);
    await cache.close();
    expect((await stat(scratch.file)).mode & 0o777).toBe(0o600);

    cache = await openCache(options);
    const again = cache.space<{ next: string }>('sync');
    expect(await again.get('token')).toEqual({ next: 's2' });
    expect(await cache.space('filters').get('token')).toBe(7);
    expect(await again.get(['a', 'none', 'b'])).toEqual([{ next: 'a' }, undefined, { next: 'b' }]);
    expect(await again.has('a')).toBe(true);
    expect(await again.hasMany(['a', 'none'])).toEqual([true, false]);
    expect(await again.delete('a')).toBe(true);
    expect(await again.delete('a')).toBe(false);
    expect(await again.deleteMany(['b', 'none'])).toEqual([true, false]);
    await again.clear();
    expect(await again.get('token')).toBeUndefined();
    expect(await cache.space('filters').get('token')).toBe(7);
    await cache.close();
  });

  it('lets keys expire, and sweeps them at the next start', async () => {
    await using scratch = await scratchFolder();
    let now = Date.now();
    const options = { file: scratch.file, log: keptLog(), clock: { now: () => now } };
    let cache = await openCache(options);
    await cache.space('prompts').set('p', 'yes', 60_000);
    await cache.space('prompts').set('q', 'kept');
    expect(await cache.space('prompts').get('p')).toBe('yes');
    now += 61_000;
    expect(await cache.space('prompts').get('p')).toBeUndefined();
    expect(await cache.space('prompts').has('p')).toBe(false);
    await cache.close();
    cache = await openCache(options);
    expect(await cache.space('prompts').get('q')).toBe('kept');
    await cache.close();
    const db = new DatabaseSync(scratch.file, { readOnly: true });
    expect(db.prepare('SELECT key FROM keyv').all()).toEqual([{ key: 'q' }]);
    db.close();
  });

  it('never takes a failed read for a missing key, nor a failed write for a done one', async () => {
    await using scratch = await scratchFolder();
    const cache = await openCache({ file: scratch.file, log: keptLog(), clock });
    const sync = cache.space('sync');
    await sync.set('token', 's1');
    const other = new DatabaseSync(scratch.file);
    other.exec('DROP TABLE keyv');
    other.close();
    const failed = { name: 'MintwardenError', code: 'state' };
    await expect(sync.get('token')).rejects.toMatchObject(failed);
    await expect(sync.get(['token'])).rejects.toMatchObject(failed);
    await expect(sync.has('token')).rejects.toMatchObject(failed);
    await expect(sync.set('token', 's2')).rejects.toMatchObject(failed);
    await expect(sync.delete('token')).rejects.toMatchObject(failed);
    await expect(sync.clear()).rejects.toMatchObject(failed);
    await cache.close();
  });

  it('moves a damaged file aside and goes on with a new one', async () => {
    await using scratch = await scratchFolder();
    const log = keptLog();
    const garbage = 'this is no database at all, but long enough to be taken for one'.repeat(40);
    await writeFile(scratch.file, garbage);
    const cache = await openCache({ file: scratch.file, log, clock: { now: () => 42 } });
    expect(await cache.space('sync').get('token')).toBeUndefined();
    expect(await cache.space('sync').set('token', 1)).toBe(true);
    await cache.close();
    expect(log.lines).toMatchObject([{ level: 'warn', data: { movedTo: `${scratch.file}.broken-42` } }]);
    expect(await readFile(`${scratch.file}.broken-42`, 'utf8')).toBe(garbage);
  });

  it('finds damage in the middle of the file too', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log: keptLog(), clock };
    const first = await openCache(options);
    for (let i = 0; i < 300; i++) await first.space('sync').set(`key ${i}`, 'x'.repeat(200));
    await first.close();
    const bytes = await readFile(scratch.file);
    bytes.fill(0xff, 8_192, 16_384);
    await writeFile(scratch.file, bytes);
    const second = await openCache(options);
    expect(await second.space('sync').get('key 1')).toBeUndefined();
    await second.close();
    expect((await readdir(scratch.folder)).some((name) => name.includes('.broken-'))).toBe(true);
  });

  it('does not throw away what it merely cannot open', async () => {
    await using scratch = await scratchFolder();
    await writeFile(scratch.file, '');
    const options = { file: `${scratch.file}/cache.sqlite`, log: keptLog(), clock };
    await expect(openCache(options)).rejects.toMatchObject({ code: 'state' });
    expect(await readdir(scratch.folder)).toEqual(['ledger.sqlite']);
  });
});
