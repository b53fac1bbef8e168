import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configureEngine, DeviceId, OlmMachine, UserId } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openDatabaseFile } from '../../../src/matrix/engine/store/database-file.ts';
import { KeyServer } from './key-server.ts';
import { newFolder, Person, STORE_KEY, removeFolders } from './person.ts';

afterAll(removeFolders);

const BOT = '@bot:test';
const FILE = 'engine.sqlite';

const openAs = (folder: string, user = BOT, device = 'BOT'): Promise<OlmMachine> =>
  OlmMachine.initialize(new UserId(user), new DeviceId(device), folder);

async function usedFolder(): Promise<{ folder: string; identity: string }> {
  const bot = await Person.arrives(new KeyServer(), BOT, 'BOT');
  const identity = bot.machine.identityKeys.ed25519.toBase64();
  await bot.machine.close();
  return { folder: bot.folder, identity };
}

describe('the store', () => {
  it('holds the account across restarts', async () => {
    const { folder, identity } = await usedFolder();
    const again = await openAs(folder);
    expect(again.identityKeys.ed25519.toBase64()).toBe(identity);
    await again.close();
  });

  it('is readable by its owner only', async () => {
    const bot = await Person.arrives(new KeyServer(), BOT, 'BOT');
    expect(statSync(bot.folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(bot.folder);
    expect(files).toContain(`${FILE}-wal`);
    for (const file of files)
      expect([file, statSync(join(bot.folder, file)).mode & 0o777]).toEqual([file, 0o600]);
    await bot.machine.close();
  });

  it('is small again after a flood whose rows are gone', async () => {
    const { folder, identity } = await usedFolder();
    const sql = openDatabaseFile(join(folder, FILE));
    sql.exec('CREATE TABLE flood (x BLOB) STRICT; BEGIN');
    const add = sql.prepare('INSERT INTO flood VALUES (zeroblob(4000))');
    for (let row = 0; row < 3_000; row++) add.run();
    sql.exec('COMMIT; DROP TABLE flood');
    sql.close();
    expect(statSync(join(folder, FILE)).size).toBeGreaterThan(10_000_000);
    const again = await openAs(folder);
    expect(again.identityKeys.ed25519.toBase64()).toBe(identity);
    await again.close();
    expect(statSync(join(folder, FILE)).size).toBeLessThan(1_000_000);
  });

  it('is closed off again when someone opened it up', async () => {
    const { folder } = await usedFolder();
    chmodSync(folder, 0o755);
    chmodSync(join(folder, FILE), 0o644);
    const bot = await openAs(folder);
    expect([statSync(folder).mode & 0o777, statSync(join(folder, FILE)).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    await bot.close();
  });

  it('shows no secret and no message to whoever reads the file', async () => {
    const server = new KeyServer();
    const bot = await Person.arrives(server, BOT, 'BOT');
    await bot.makesIdentity();
    await bot.shares([BOT]);
    await bot.says('mwt_token_in_clear');
    const seeds = await bot.machine.exportCrossSigningKeys();
    const bytes = Buffer.concat(readdirSync(bot.folder).map((file) => readFileSync(join(bot.folder, file))));
    await bot.machine.close();
    const needles = [
      ...Object.values(seeds ?? {}),
      'mwt_token_in_clear',
      Buffer.from(STORE_KEY).toString('base64'),
    ];
    expect(needles).toHaveLength(5);
    for (const needle of needles) {
      expect(bytes.includes(needle)).toBe(false);
      expect(bytes.includes(Buffer.from(needle).toString('base64').slice(0, -3))).toBe(false);
    }
    expect(bytes.includes(Buffer.from(STORE_KEY))).toBe(false);
  });

  it('is refused to a second opener in the same process, and free again after close', async () => {
    const bot = await Person.arrives(new KeyServer(), BOT, 'BOT');
    await expect(openAs(bot.folder)).rejects.toMatchObject({
      code: 'store-in-use',
      message: expect.stringContaining('in use by another process'),
    });
    await bot.machine.close();
    await (await openAs(bot.folder)).close();
  });

  it('is refused to a second process', async () => {
    const bot = await Person.arrives(new KeyServer(), BOT, 'BOT');
    const script = fileURLToPath(new URL('./open-once.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, bot.folder]);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'store-in-use' });
    await bot.sync();
    await bot.machine.close();
    const after = await promisify(execFile)(process.execPath, [script, bot.folder]);
    expect(JSON.parse(after.stdout)).toEqual({ opened: true });
  });

  it('is not opened without settings', async () => {
    const { folder } = await usedFolder();
    await expect(openAs(`${folder}-other`)).rejects.toMatchObject({ code: 'not-configured' });
  });

  it('is not opened with another key, and is none the worse for it', async () => {
    const { folder, identity } = await usedFolder();
    for (const storeKey of [new Uint8Array(32).fill(8), new Uint8Array(31), new Uint8Array(0)]) {
      configureEngine(folder, { storeKey });
      await expect(openAs(folder)).rejects.toMatchObject({ code: 'store-key-wrong' });
    }
    configureEngine(folder, { storeKey: STORE_KEY });
    const bot = await openAs(folder);
    expect(bot.identityKeys.ed25519.toBase64()).toBe(identity);
    await bot.close();
  });

  it('is not opened for another user or device', async () => {
    const { folder } = await usedFolder();
    await expect(openAs(folder, '@eve:test')).rejects.toMatchObject({ name: 'EngineError' });
    await expect(openAs(folder, BOT, 'OTHER')).rejects.toMatchObject({ name: 'EngineError' });
    await (await openAs(folder)).close();
  });

  it('is not opened when a newer version wrote it', async () => {
    const { folder } = await usedFolder();
    withFile(folder, (sql) => sql.exec('PRAGMA user_version = 99'));
    await expect(openAs(folder)).rejects.toMatchObject({
      code: 'store-newer',
      message: expect.stringContaining('99'),
    });
  });

  it('is not opened when the file is something else', async () => {
    const { folder } = await usedFolder();
    const { folder: other } = await usedFolder();
    writeFileSync(join(folder, FILE), 'This is no database at all. '.repeat(100));
    await expect(openAs(folder)).rejects.toMatchObject({ code: 'store-damaged' });
    withFile(other, (sql) => sql.exec('PRAGMA application_id = 1'));
    await expect(openAs(other)).rejects.toMatchObject({ code: 'store-damaged' });
  });

  it('is not opened when a record was changed, and is not overwritten then', async () => {
    const { folder } = await usedFolder();
    const rows = withFile(folder, (sql) => {
      sql.exec(`UPDATE records SET value = '{"t":"future","v":0}'`);
      return sql.prepare('SELECT count(*) AS n FROM records').get()?.['n'];
    });
    await expect(openAs(folder)).rejects.toMatchObject({ code: 'store-damaged' });
    expect(withFile(folder, (sql) => sql.prepare('SELECT count(*) AS n FROM records').get()?.['n'])).toBe(
      rows,
    );
  });

  it('says so when the folder cannot be', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'a file');
    configureEngine(folder, { storeKey: STORE_KEY });
    await expect(openAs(folder)).rejects.toMatchObject({ code: 'store-unusable' });
  });

  it('leaves no IndexedDB behind for others in the process', async () => {
    const first = await Person.arrives(new KeyServer(), BOT, 'BOT');
    const second = await Person.arrives(new KeyServer(), BOT, 'BOT');
    expect('indexedDB' in globalThis).toBe(false);
    expect(first.machine.identityKeys.ed25519.toBase64()).not.toBe(
      second.machine.identityKeys.ed25519.toBase64(),
    );
    await first.machine.close();
    await second.sync();
    await second.machine.close();
  });

  it('answers with an error, not a hang, once it is closed', async () => {
    const bot = await Person.arrives(new KeyServer(), BOT, 'BOT');
    await bot.machine.close();
    await expect(bot.machine.outgoingRequests()).rejects.toMatchObject({ code: 'closed' });
    await bot.machine.close();
  });
});

describe('a commit that fails', () => {
  it('stops the engine before a message leaves it, and nothing of it is on disk', async () => {
    const onFatal = vi.fn<() => void>();
    const server = new KeyServer();
    const bot = await Person.arrives(server, BOT, 'BOT', { onFatal });
    await bot.makesIdentity();
    await bot.shares([BOT]);
    const first = await bot.says('one');
    const refuse = refuseCommits();
    try {
      await expect(bot.says('two')).rejects.toMatchObject({ code: 'store-write-failed' });
    } finally {
      refuse.mockRestore();
    }
    expect(onFatal).toHaveBeenCalledOnce();
    expect(onFatal).toHaveBeenCalledWith(expect.objectContaining({ code: 'store-write-failed' }));
    // The disk is well again, and still nothing goes out.
    await expect(bot.says('three')).rejects.toMatchObject({ code: 'store-write-failed' });
    await expect(bot.machine.outgoingRequests()).rejects.toMatchObject({ code: 'store-write-failed' });
    await expect(bot.reads(first)).rejects.toMatchObject({ code: 'store-write-failed' });
    await bot.machine.close();

    const again = await Person.arrives(server, BOT, 'BOT', { folder: bot.folder });
    await again.shares([BOT]);
    const next = await again.says('two, again');
    expect((await again.reads(next)).info).toMatchObject({
      sessionId: (await again.reads(first)).info.sessionId,
      messageIndex: 1,
    });
    await again.machine.close();
  });

  it('by default ends the process at once, saying why', async () => {
    const folder = newFolder();
    const script = fileURLToPath(new URL('./fail-commit.ts', import.meta.url));
    const failure = await promisify(execFile)(process.execPath, [script, folder]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 74, stderr: expect.stringContaining('could not be written') });
    expect((failure as { stdout: string }).stdout).toBe('encrypting\n');
  });
});

/** As a full disk would: the error comes from COMMIT. */
function refuseCommits() {
  const { value: exec } = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'exec') as {
    value: (sql: string) => void;
  };
  return vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
    this: DatabaseSync,
    sql: string,
  ) {
    if (sql === 'COMMIT') throw new Error('database or disk is full');
    exec.call(this, sql);
  });
}

function withFile<T>(folder: string, work: (sql: DatabaseSync) => T): T {
  const sql = new DatabaseSync(join(folder, FILE));
  try {
    return work(sql);
  } finally {
    sql.close();
  }
}

it('is laid out once only', async () => {
  const { folder } = await usedFolder();
  const before = withFile(folder, (sql) => sql.prepare('SELECT sql FROM sqlite_schema').all());
  openDatabaseFile(join(folder, FILE)).close();
  expect(withFile(folder, (sql) => sql.prepare('SELECT sql FROM sqlite_schema').all())).toEqual(before);
});
