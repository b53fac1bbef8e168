import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { command, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { ensurePythonEnv } from '../harness/python-env.ts';
import { findSecrets } from '../harness/secrets-grep.ts';
import { setTheStage, type Stage } from '../harness/stage.ts';

const MAIN = join(import.meta.dirname, '../../src/mintwarden.mjs');

let stage: Stage;
let folder: string;

beforeAll(async () => {
  stage = await setTheStage();
  folder = await mkdtemp(join(tmpdir(), 'mw-exec-e2e-'));
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Ended = {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  readonly seen: string;
};

/** Runs `mintwarden exec` as an operator does. `seen`: what other users of the machine see of its process. */
async function exec(words: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, 'exec', ...words, '--config', stage.mintwarden.configPath], {
    cwd: folder,
  });
  const [out, err]: string[][] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out?.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err?.push(chunk.toString()));
  child.stdin.on('error', () => undefined).end(input);
  const seen: string[] = [];
  const look = setInterval(() => {
    readFile(`/proc/${String(child.pid)}/cmdline`, 'utf8').then(
      (line) => seen.push(line),
      () => undefined,
    );
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(look);
  return { status, out: out?.join('') ?? '', err: err?.join('') ?? '', seen: seen.join('\n') };
}

const json = (
  text: string,
): { grant: { id: string; delivery: string; state: string }; [key: string]: unknown } =>
  JSON.parse(text) as never;
const sent = async (): Promise<string> =>
  JSON.stringify(stage.olivia.timeline(stage.mintwarden.controlRoomId));

test('an operator mints into a file: the token works, and stands nowhere else', async () => {
  const ran = await exec([
    'mint',
    '@alice',
    '--rooms',
    stage.ops,
    '--ttl',
    '1h',
    '--reason',
    'nightly report',
    '--out',
    'token.txt',
    '--json',
  ]);
  expect([ran.status, ran.err]).toEqual([0, '']);
  const { grant, out } = json(ran.out);
  expect(grant).toMatchObject({ state: 'live', delivery: 'sent' });
  const token = (await readFile(String(out), 'utf8')).trim();
  expect((await stat(String(out))).mode & 0o777).toBe(0o600);
  const whoami = await matrixRequest(
    stage.mintwarden.gatewayUrl,
    'GET',
    '/_matrix/client/v3/account/whoami',
    { token },
  );
  expect(whoami).toMatchObject({ user_id: stage.users.alice.userId });

  const operator = `the operator “${userInfo().username}” at the server`;
  const told = await stage.olivia.waitForMessage(
    (event) => textOf(event).includes(`Grant ${grant.id} is live`),
    { timeoutMs: 20_000 },
  );
  expect(textOf(told)).toContain(`Made by ${operator}`);
  expect(textOf(told)).toContain(`The token goes to ${operator}, into a file there.`);
  const notice = await takeNotice(stage, stage.alice, grant.id);
  expect(textOf(notice)).toContain(`Who gets it: ${operator}`);
  expect(ran.seen).not.toBe('');
  const texts = { room: await sent(), stdout: ran.out, processes: ran.seen };
  expect(await findSecrets([token], { paths: [stage.mintwarden.dir], texts })).toEqual([]);

  const revoked = await exec([`!revoke ${grant.id}`]);
  expect(revoked).toMatchObject({
    status: 0,
    out: expect.stringContaining(`Grant ${grant.id} for ${stage.users.alice.userId} has ended`) as string,
  });
  await expect(
    matrixRequest(stage.mintwarden.gatewayUrl, 'GET', '/_matrix/client/v3/account/whoami', { token }),
  ).rejects.toMatchObject({
    status: 401,
  });
  await stage.olivia.waitForMessage((event) => textOf(event).includes(`${operator} revoked it`), {
    timeoutMs: 20_000,
  });
  expect((await stage.mintwarden.command('audit', 'verify')).status).toBe(0);
});

test('an operator mints for somebody, who gets the token by encrypted message', async () => {
  const ran = await exec([`mint @alice --rooms ${stage.diary} --ttl 1h --to @olivia`]);
  expect([ran.status, ran.err]).toEqual([0, '']);
  const id = /Grant (\S+) is live/.exec(ran.out)?.[1] ?? '';
  expect((await takeDelivery(stage, stage.olivia, id)).token).toMatch(/^mwt_/);
  expect(json((await exec(['show', id, '--json'])).out)).toMatchObject({
    ok: true,
    command: 'show',
    grant: { id },
  });
  expect(textOf(await command(stage, `!show ${id}`))).toMatch(/Made by the operator/);
});

test('statuses, lines from a file, and a policy read again', async () => {
  expect((await exec(['mint @alice --rooms all'])).err).toMatch(/--to @user:server.*--out FILE/s);
  expect((await exec(['mint @alice --rooms all --ttl 30d --to @olivia'])).status).toBe(4);
  expect((await exec(['lsit'])).status).toBe(2);
  const lines = await exec(['--json'], '# what there is\nlist\n\nstatus\nlsit\nstatus\n');
  expect(lines.status).toBe(2);
  expect(
    lines.out
      .trim()
      .split('\n')
      .map((line) => json(line)['command']),
  ).toEqual(['list', 'status', null]);

  const config = parseDocument(await readFile(stage.mintwarden.configPath, 'utf8'));
  config.setIn(['policy'], { max_ttl: '10m', default_ttl: '5m' });
  await writeFile(stage.mintwarden.configPath, config.toString());
  expect(await exec(['reload'])).toMatchObject({
    status: 0,
    out: expect.stringMatching(/policy\.max_ttl/) as string,
  });
  await stage.olivia.waitForMessage((event) => /policy was changed/i.test(textOf(event)), {
    timeoutMs: 20_000,
  });
  expect((await exec(['mint @alice --rooms all --ttl 1h --to @olivia'])).status).toBe(4);
});

test('the prompt answers, completes, remembers and ends', async () => {
  const { python } = await ensurePythonEnv();
  const history = join(folder, 'mintwarden', 'history');
  // What comes in one piece counts as pasted, and Tab in it as a tab: it is typed key by key.
  const script = `
import os, pty, sys, time, select
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
said = b''
def until(text):
    global said
    end = time.time() + 20
    while text not in said and time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try: said += os.read(terminal, 65536)
            except OSError: break
    if text not in said: sys.exit(f'never came: {text} in {said}')
    end = said.index(text) + len(text)
    sys.stdout.buffer.write(said[:end]); said = said[end:]
until(b'mintwarden> '); os.write(terminal, b'stat')
until(b'stat'); os.write(terminal, b'\\t')
until(b'us '); os.write(terminal, b'\\r')
until(b'Audit: '); until(b'mintwarden> '); os.write(terminal, b'show mwt_7F3K9Q_aaaaaaaaaa\\r')
until(b'mintwarden> '); os.write(terminal, b'\\x04')
print('STATUS', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  const args = ['-c', script, process.execPath, MAIN, 'exec', '--config', stage.mintwarden.configPath];
  const child = spawn(python, args, { cwd: folder, env: { ...process.env, XDG_STATE_HOME: folder } });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  expect(said.join('')).toMatch(/STATUS 0/);
  expect(await readFile(history, 'utf8')).toBe('status\n');
  expect((await stat(history)).mode & 0o777).toBe(0o600);
});

test('without a service it says so, and what a killed one left behind does not keep the next from listening', async () => {
  await stage.mintwarden.kill();
  const socket = join(stage.mintwarden.dir, 'state', 'control.sock');
  expect((await stat(socket)).isSocket()).toBe(true);
  expect(await exec(['list'])).toMatchObject({
    status: 3,
    err: expect.stringMatching(/No Mintwarden answers/) as string,
  });
  expect(json((await exec(['list', '--json'])).out)).toMatchObject({
    ok: false,
    error: { code: 'not-running' },
  });
  await stage.mintwarden.start();
  expect((await exec(['status'])).status).toBe(0);
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await stage.mintwarden.stop();
  await expect(stat(socket)).rejects.toThrow('ENOENT');
  expect(await findSecrets(['nightly report'], { paths: [stage.mintwarden.logPath] })).toEqual([]);
});
