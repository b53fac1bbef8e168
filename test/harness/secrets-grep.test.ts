import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findSecrets } from './secrets-grep.ts';

const secret = 'mwt_7F3K9Q_Zq8vN2rT5yXw1LkJ4hGf6DsA9pOiUeBcVmYt3Rn';
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mintwarden-grep-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('finds a secret in every writing', () => {
  const bytes = Buffer.from(secret);
  const cases: Record<string, string | Buffer> = {
    plain: `token=${secret}.`,
    'UTF-16': Buffer.from(`x${secret}`, 'utf16le'),
    hex: bytes.toString('hex'),
    'upper-case hex': bytes.toString('hex').toUpperCase(),
    'percent-encoded': bytes.toString('hex').replace(/../g, '%$&'),
    base64: bytes.toString('base64'),
    'base64 of basic credentials': Buffer.from(`a:${secret}:b`).toString('base64'),
    'base64 behind one byte': Buffer.from(`a${secret}bc`).toString('base64url'),
    'the first half alone': secret.slice(11, 11 + 23),
    'the second half alone': secret.slice(-24),
  };
  test.each(Object.entries(cases))('%s', async (_name, content) => {
    await writeFile(
      join(dir, 'log'),
      Buffer.concat([Buffer.from('before '), Buffer.from(content), Buffer.from(' after')]),
    );
    const hits = await findSecrets(['another-secret-of-no-consequence', secret], { paths: [dir] });
    expect(hits).not.toEqual([]);
    for (const hit of hits) expect(hit).toMatchObject({ where: join(dir, 'log'), secretIndex: 1 });
    expect(JSON.stringify(hits)).not.toContain(secret);
  });
});

test('finds a secret in the write-ahead log of an open database', async () => {
  const path = join(dir, 'ledger.db');
  using database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (x)');
  database.prepare('INSERT INTO t VALUES (?)').run(secret);
  expect((await findSecrets([secret], { paths: [path] })).map((hit) => hit.where)).toContain(`${path}-wal`);
});

test('finds a secret in folders below and in events', async () => {
  await mkdir(join(dir, 'a/b'), { recursive: true });
  await writeFile(join(dir, 'a/b/c'), secret);
  expect(await findSecrets([secret], { paths: [dir] })).not.toEqual([]);
  expect(
    await findSecrets([secret], { texts: { 'control room': [{ content: { body: secret } }] } }),
  ).not.toEqual([]);
});

test('does not cry wolf: the public parts of a token are no secret', async () => {
  await writeFile(join(dir, 'log'), 'grant mwt_7F3K9Q and syt_YWxpY2UtYS1sb25nLW5hbWU of alice');
  expect(
    await findSecrets([secret, 'syt_YWxpY2UtYS1sb25nLW5hbWU_cLjQkrOlUpKxSAXBYtWn_1jDElo'], { paths: [dir] }),
  ).toEqual([]);
});

test('a path that does not exist is an error', async () => {
  await expect(findSecrets([secret], { paths: [join(dir, 'nowhere')] })).rejects.toThrow('ENOENT');
});
