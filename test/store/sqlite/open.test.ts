import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteLedger, openSqliteLedgerReadOnly } from '../../../src/store/sqlite/index.ts';
import { migrate } from '../../../src/store/sqlite/migrate.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { NOON, sampleAudit, sampleGrant } from '../../contract/sample.ts';
import { keptLog, scratchFolder } from '../scratch.ts';

const log = keptLog();
const state = (message: string) => ({
  name: 'MintwardenError',
  code: 'state',
  message: expect.stringContaining(message),
  hint: expect.any(String),
});
const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe('opening the ledger', () => {
  it('makes a folder and files that nobody else can read', async () => {
    await using scratch = await scratchFolder();
    const file = join(scratch.folder, 'var', 'state', 'ledger.sqlite');
    const ledger = await openSqliteLedger({ file, log });
    await ledger.commit({ at: NOON, audit: [sampleAudit()] });
    expect(await mode(join(scratch.folder, 'var', 'state'))).toBe(0o700);
    for (const path of [file, `${file}-wal`, `${file}-shm`, `${file}.lock`])
      expect(await mode(path)).toBe(0o600);
    await ledger.close();
  });

  it('takes the file back from others, and says when they can write to its folder', async () => {
    await using scratch = await scratchFolder();
    const own = keptLog();
    await writeFile(scratch.file, '', { mode: 0o644 });
    await chmod(scratch.folder, 0o777);
    const ledger = await openSqliteLedger({ file: scratch.file, log: own });
    expect(await mode(scratch.file)).toBe(0o600);
    expect(own.lines.map(({ event }) => event)).toContain('others can write to the state folder');
    await ledger.close();
  });

  it('is refused to a second writer, and allowed once the first has closed', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    const first = await openSqliteLedger(options);
    await expect(openSqliteLedger(options)).rejects.toMatchObject(state('in use by another process'));
    expect(await first.commit({ at: NOON, audit: [sampleAudit()] })).toBe('committed');
    await first.close();
    const second = await openSqliteLedger(options);
    expect((await second.counts()).auditRows).toBe(1);
    await second.close();
  });

  it('leaves no lock behind when it fails', async () => {
    await using scratch = await scratchFolder();
    await writeFile(scratch.file, 'no database'.repeat(1_000));
    await expect(openSqliteLedger({ file: scratch.file, log })).rejects.toMatchObject(
      state('not a database'),
    );
    await writeFile(scratch.file, '');
    await (await openSqliteLedger({ file: scratch.file, log })).close();
  });

  it('refuses a ledger of a newer version, and leaves it as it is', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    await (await openSqliteLedger(options)).close();
    const newer = new DatabaseSync(scratch.file);
    newer.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99');
    newer.close();
    const before = await readFile(scratch.file);
    await expect(openSqliteLedger(options)).rejects.toMatchObject(state('newer version of Mintwarden'));
    await expect(openSqliteLedgerReadOnly(options)).rejects.toMatchObject(
      state('newer version of Mintwarden'),
    );
    expect(await readFile(scratch.file)).toEqual(before);
  });

  it('refuses a database that is not a ledger, and leaves it as it is', async () => {
    await using scratch = await scratchFolder();
    const other = new DatabaseSync(scratch.file);
    other.exec('CREATE TABLE somebody_elses (a)');
    other.close();
    const before = await readFile(scratch.file);
    await expect(openSqliteLedger({ file: scratch.file, log })).rejects.toMatchObject(state('not a ledger'));
    await expect(openSqliteLedgerReadOnly({ file: scratch.file, log })).rejects.toMatchObject(
      state('not a ledger'),
    );
    expect(await readFile(scratch.file)).toEqual(before);
  });

  it('refuses a damaged file rather than working with half of it', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    const ledger = await openSqliteLedger(options);
    for (let i = 0; i < 50; i++)
      await ledger.commit({ at: NOON, audit: [sampleAudit({ data: { pad: 'x'.repeat(1_000) } })] });
    await ledger.close();
    const bytes = await readFile(scratch.file);
    bytes.fill(0xff, bytes.length - 20_000, bytes.length - 8_000);
    await writeFile(scratch.file, bytes);
    await expect(openSqliteLedger(options)).rejects.toMatchObject(state('damaged'));
  });

  it('says what is in the way of the folder', async () => {
    await using scratch = await scratchFolder();
    await writeFile(join(scratch.folder, 'plain'), '');
    for (const file of [join(scratch.folder, 'plain', 'ledger.sqlite'), '/proc/mintwarden/ledger.sqlite']) {
      await expect(openSqliteLedger({ file, log })).rejects.toMatchObject(state('cannot be used'));
    }
    await mkdir(join(scratch.folder, 'folder.sqlite'));
    await expect(
      openSqliteLedger({ file: join(scratch.folder, 'folder.sqlite'), log }),
    ).rejects.toMatchObject(state('cannot be used'));
  });
});

describe('opening the ledger to read it', () => {
  it('works beside the running service and sees what it commits', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    const ledger = await openSqliteLedger(options);
    await ledger.commit({ at: NOON, grants: [sampleGrant({ id: 'AAAAA1' })], audit: [sampleAudit()] });
    const reader = await openSqliteLedgerReadOnly(options);
    expect(await reader.audit(0, 10)).toHaveLength(1);
    await ledger.commit({ at: NOON, audit: [sampleAudit()] });
    expect(await reader.audit(0, 10)).toEqual(await ledger.audit(0, 10));
    expect((await reader.counts()).grantsEver).toBe(1);
    expect(reader).not.toHaveProperty('commit');
    await reader.close();
    expect(await ledger.commit({ at: NOON, audit: [sampleAudit()] })).toBe('committed');
    await ledger.close();
  });

  it('works when no service runs, takes no lock and makes no ledger', async () => {
    await using scratch = await scratchFolder();
    const options = { file: scratch.file, log };
    await expect(openSqliteLedgerReadOnly(options)).rejects.toMatchObject(state('no ledger at'));
    await expect(stat(scratch.file)).rejects.toMatchObject({ code: 'ENOENT' });
    await (await openSqliteLedger(options)).close();
    const reader = await openSqliteLedgerReadOnly(options);
    const ledger = await openSqliteLedger(options);
    expect((await reader.counts()).auditRows).toBe(0);
    await reader.close();
    await ledger.close();
  });

  it('asks for the service to be started on an older ledger', async () => {
    await using scratch = await scratchFolder();
    await writeFile(scratch.file, '');
    await expect(openSqliteLedgerReadOnly({ file: scratch.file, log })).rejects.toMatchObject(
      state('older version'),
    );
  });
});

describe('migrations', () => {
  const version = (db: DatabaseSync) => db.prepare('PRAGMA user_version').get()?.['user_version'];

  it('are taken once each, in order, and one that fails leaves nothing of itself', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db, 'f', ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']);
    expect(version(db)).toBe(2);
    const broken = [
      'CREATE TABLE a (x)',
      'CREATE TABLE b (x)',
      'CREATE TABLE c (x); INSERT INTO c VALUES (1); INSERT INTO nowhere VALUES (1)',
    ];
    expect(() => migrate(db, 'f', broken)).toThrow(/nowhere/);
    expect(version(db)).toBe(2);
    const tables = () =>
      db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    expect(tables()).toEqual([{ name: 'a' }, { name: 'b' }]);
    migrate(db, 'f', ['CREATE TABLE a (x)', 'CREATE TABLE b (x)', 'CREATE TABLE c (x)']);
    expect(tables()).toHaveLength(3);
    db.close();
  });

  it('keep what is there', async () => {
    await using scratch = await scratchFolder();
    const ledger = await openSqliteLedger({ file: scratch.file, log });
    const grant = sampleGrant({ id: 'AAAAA1' });
    await ledger.commit({ at: NOON, grants: [grant] });
    await ledger.close();
    const db = new DatabaseSync(scratch.file);
    migrate(db, scratch.file, [...MIGRATIONS, 'ALTER TABLE grants ADD COLUMN later TEXT']);
    expect(db.prepare('SELECT id, later FROM grants').all()).toEqual([{ id: 'AAAAA1', later: null }]);
    db.close();
  });
});
