import { once } from 'node:events';
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendRequest } from '../../src/app/exec/client/send-request.ts';
import { MAX_LINE_BYTES } from '../../src/app/exec/protocol.ts';
import {
  startControlSocket,
  type ControlSocket,
  type Responder,
} from '../../src/app/exec/server/control-socket.ts';
import { keptLog } from '../store/scratch.ts';
import { isPending, settled } from '../support/wait.ts';

let folder: string;
let file: string;
let asked: string[];
const running: ControlSocket[] = [];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'mw-exec-')), 'state');
  await mkdir(folder, { mode: 0o755 });
  file = join(folder, 'control.sock');
  asked = [];
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  await rm(join(folder, '..'), { recursive: true });
});

const echo: Responder = async ({ line }) => {
  asked.push(line);
  return { command: 'echo', words: line, data: { line }, error: null };
};

async function start(respond: Responder = echo, times = {}): Promise<void> {
  running.push(await startControlSocket(file, respond, keptLog(), times));
}

const request = (line: string) => ({ id: 'request-1', operator: 'root', line });
const nothing = async (): Promise<void> => undefined;
const raw = (fields: object): string => `${JSON.stringify({ version: 1, ...request('list'), ...fields })}\n`;

/** Sends bytes as they are, and gives everything that comes back until the end. */
async function sent(...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(file);
  socket.on('error', () => undefined);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await settled();
  }
  await closed;
  return Buffer.concat(chunks).toString();
}

describe('the socket', () => {
  test('is for its owner alone, and gone when the service ends', async () => {
    await start();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await running.pop()?.stop();
    await expect(access(file)).rejects.toThrow('ENOENT');
    expect(await sendRequest(file, request('list'), nothing)).toMatchObject({
      error: { code: 'not-running' },
    });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'lets no other user of the machine in, not even where the folder does',
    async () => {
      await start();
      await chmod(join(folder, '..'), 0o755);
      const knock = `const socket=require('node:net').connect(${JSON.stringify(file)}).on('connect',()=>{console.log('in');socket.destroy()}).on('error',e=>console.log(e.code))`;
      const asNobody = (): string =>
        spawnSync(process.execPath, ['-e', `process.setgid(65534);process.setuid(65534);${knock}`], {
          encoding: 'utf8',
        }).stdout.trim();
      expect(asNobody()).toBe('EACCES');
      await chmod(folder, 0o755);
      expect(asNobody()).toBe('EACCES');
      // The same knock gets in where the mode allows it: the test can fail.
      await chmod(file, 0o666);
      expect(asNobody()).toBe('in');
    },
  );

  test('of a dead process is removed; of a living one it is left', async () => {
    const dead = spawnSync(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(file)},()=>process.kill(process.pid,9))`,
    ]);
    expect(dead.signal).toBe('SIGKILL');
    expect((await lstat(file)).isSocket()).toBe(true);
    await start();
    expect(await sendRequest(file, request('list'), nothing)).toMatchObject({ error: null });
    await expect(start()).rejects.toThrow(/Another process listens/);
    expect(await sendRequest(file, request('list'), nothing)).toMatchObject({ error: null });
  });

  test.each(['file', 'folder', 'link to a file', 'link to nothing', 'link to a socket'] as const)(
    'is not made in place of a %s, which stays as it was',
    async (what) => {
      const elsewhere = join(folder, 'elsewhere');
      const other = createServer();
      if (what === 'file') await writeFile(file, 'mine');
      else if (what === 'folder') await mkdir(file);
      else await symlink(elsewhere, file);
      if (what === 'link to a file') await writeFile(elsewhere, 'mine');
      if (what === 'link to a socket') await once(other.listen(elsewhere), 'listening');
      const before = await lstat(file);
      await expect(start()).rejects.toMatchObject({
        code: 'state',
        message: expect.stringMatching(/in the way/) as string,
      });
      expect(await lstat(file)).toMatchObject({ ino: before.ino, mode: before.mode });
      if (what === 'file' || what === 'link to a file') expect(await readFile(file, 'utf8')).toBe('mine');
      if (what === 'link to a socket') await new Promise((resolve) => other.close(resolve));
    },
  );

  test('says so where its path is longer than the system takes', async () => {
    file = join(folder, 'x'.repeat(120));
    await expect(start()).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/bytes long/) as string,
    });
  });
});

describe('a request', () => {
  test('is answered, several at once', async () => {
    await start(async (one, hand) => {
      await settled();
      return echo(one, hand);
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => sendRequest(file, request(`line ${index}`), nothing)),
    );
    expect(answers.map(({ words }) => words)).toEqual(
      Array.from({ length: 20 }, (_, index) => `line ${index}`),
    );
  });

  test('may come in pieces, and from a client that says no more', async () => {
    await start();
    const line = raw({ line: 'lïst' });
    const [half, rest] = [Buffer.from(line).subarray(0, 60), Buffer.from(line).subarray(60)];
    expect(JSON.parse(await sent(half, rest))).toMatchObject({ kind: 'answer', words: 'lïst' });
  });

  test('that is not whole does nothing, however it ends', async () => {
    await start(echo, { request: 100 });
    const whole = raw({});
    const socket = connect(file);
    await once(socket, 'connect');
    socket.end(whole.slice(0, -1));
    await once(socket.resume(), 'close');
    const cut: Socket = connect(file);
    await once(cut, 'connect');
    cut.write(whole.slice(0, -1));
    await settled();
    cut.destroy();
    expect(JSON.parse(await sent(whole.slice(0, -1)))).toMatchObject({
      error: { message: 'Nothing came for too long.' },
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['no JSON', 'list\n'],
    ['another version', raw({ version: 2 })],
    ['a part nobody knows', raw({ as: 'admin' })],
    ['an operator with a name of two lines', raw({ operator: 'root\noperator' })],
    ['an operator who would be a user', raw({ operator: '@ada:x.org' })],
    ['an id that is none', raw({ id: '$event' })],
    ['no line', raw({ line: '' })],
    ['null', 'null\n'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d, 0x0a])],
  ])('with %s is refused, and nothing is done', async (_, bytes) => {
    await start();
    expect(JSON.parse(await sent(bytes))).toMatchObject({ kind: 'answer', error: { code: 'usage' } });
    expect(asked).toEqual([]);
  });

  test('of a huge line is refused before it is read to its end', async () => {
    await start();
    const answer: unknown = JSON.parse(await sent('x'.repeat(MAX_LINE_BYTES + 1)));
    expect(answer).toMatchObject({
      error: { code: 'usage', message: expect.stringMatching(/longer than 65536/) as string },
    });
    await sent('x'.repeat(50_000_000));
    expect(await sendRequest(file, request('list'), nothing)).toMatchObject({ error: null });
    expect(asked).toEqual(['list']);
  });

  test('a second one on the same connection is not looked at', async () => {
    await start();
    await sent(raw({ line: 'one' }) + raw({ line: 'two' }));
    expect(asked).toEqual(['one']);
  });

  test('is answered after thousands of connections that say nothing', async () => {
    await start(echo, { request: 300 });
    const idle = Array.from({ length: 3_000 }, () => connect(file).on('error', () => undefined));
    await Promise.allSettled(idle.map((socket) => once(socket, 'connect')));
    await expect
      .poll(async () => (await sendRequest(file, request('list'), nothing)).error, { timeout: 5_000 })
      .toBeNull();
    for (const socket of idle) socket.destroy();
  }, 15_000);

  test('under way is answered before the service ends; whoever asked nothing is not waited for', async () => {
    const begun = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    await start(async (one, hand) => {
      begun.resolve();
      await done.promise;
      return echo(one, hand);
    });
    const silent = connect(file).on('error', () => undefined);
    await once(silent, 'connect');
    const answer = sendRequest(file, request('list'), nothing);
    await begun.promise;
    const stoppedAt = performance.now();
    const stopping = running.pop()?.stop() ?? Promise.reject(new Error('It does not run.'));
    expect(await isPending(stopping)).toBe(true);
    done.resolve();
    await stopping;
    expect(performance.now() - stoppedAt).toBeLessThan(3_000);
    expect(await answer).toMatchObject({ words: 'list', error: null });
    silent.destroy();
  });

  test('that takes for ever is answered all the same', async () => {
    await start(() => new Promise(() => undefined), { command: 50 });
    expect(await sendRequest(file, request('list'), nothing)).toMatchObject({
      error: { message: expect.stringMatching(/takes too long/) as string },
    });
  });
});

describe('a token', () => {
  const handing: Responder = async (_, hand) => {
    try {
      await hand('7F3K9Q', 'mwt_secret');
      return { command: 'mint', words: 'kept', data: {}, error: null };
    } catch (error) {
      const { message } = error as Error;
      return { command: 'mint', words: message, data: {}, error: { code: 'state', message, next: null } };
    }
  };

  test('is handed over, and counts once the client says that it is kept', async () => {
    await start(handing);
    const got: string[] = [];
    expect(await sendRequest(file, request('mint'), async (token) => void got.push(token))).toMatchObject({
      words: 'kept',
    });
    expect(got).toEqual(['mwt_secret']);
  });

  test('that could not be kept is not delivered, and neither is one whose taker went away', async () => {
    await start(handing, { receipt: 200 });
    const full = async (): Promise<void> => Promise.reject(new Error('full', { cause: { code: 'ENOSPC' } }));
    expect((await sendRequest(file, request('mint'), full)).words).toMatch(
      /could not be written into the file \(ENOSPC\)/,
    );
    const words = async (...pieces: readonly string[]): Promise<unknown> =>
      JSON.parse((await sent(...pieces)).trim().split('\n').at(-1) ?? '');
    expect(await words(raw({ line: 'mint' }))).toMatchObject({
      error: { code: 'state' },
      words: expect.stringMatching(/for too long/) as string,
    });
    expect(await words(raw({ line: 'mint' }), '{"version":1,"kind":"keep"}\n')).toMatchObject({
      error: { code: 'state' },
    });
  });
});
