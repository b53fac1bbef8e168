import { execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Grant } from '../../src/domain/grant.ts';
import type { GrantId } from '../../src/domain/ids.ts';
import { hashToken } from '../../src/domain/token.ts';
import { toLine, parseFlags } from '../../src/app/command-line/parse-flags.ts';
import { exec } from '../../src/app/command-line/exec.ts';
import { asJson } from '../../src/app/exec/client/as-json.ts';
import { exitStatus } from '../../src/app/exec/client/exit-status.ts';
import { runLine, type RunResult } from '../../src/app/exec/client/run-line.ts';
import { allOperatorCommands } from '../../src/app/exec/operator-commands.ts';
import { startControlSocket, type ControlSocket } from '../../src/app/exec/server/control-socket.ts';
import { createResponder } from '../../src/app/exec/server/respond.ts';
import { createRequestExplainer } from '../../src/app/request-explainer.ts';
import { startReaper } from '../../src/lifecycle/scheduler/reaper.ts';
import { ADA, botStage, CONTROL, type BotStage } from '../bot/support/stage.ts';

const MINT = 'mint @alice --rooms !ops:x.org --ttl 1h --reason "weekly report"';

let stage: BotStage;
let folder: string;
let socket: ControlSocket;
let reaper: { stop(): Promise<void> };
let reloads: string[];

beforeEach(async () => {
  stage = await botStage();
  folder = await mkdtemp(join(tmpdir(), 'mw-exec-'));
  reloads = [];
  const { services } = stage;
  reaper = startReaper(services);
  const requests = createRequestExplainer({
    ledger: services.ledger,
    clock: services.clock,
    controlRoomId: CONTROL,
    remembered: () => null,
  });
  const commands = allOperatorCommands(async (by) => {
    reloads.push(by);
    return { changes: [{ key: 'policy.max_ttl', before: '1w', after: '1d' }], afterRestart: ['log.level'] };
  });
  socket = await startControlSocket(
    join(folder, 'state', 'control.sock'),
    createResponder({ services, requests, commands }, 300),
    services.log,
  );
});
afterEach(async () => {
  await socket.stop();
  await reaper.stop();
  await stage[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const runs = (line: string, id: string | null = null): Promise<RunResult> =>
  runLine(line, { socket: join(folder, 'state', 'control.sock'), folder, id });
const grants = (): Promise<readonly Grant[]> => stage.services.ledger.grants({ limit: 100 });
const inRoom = (): string[] =>
  stage.sent.filter(({ roomId }) => roomId === CONTROL).map(({ content }) => content.body);
const json = (ran: RunResult): Record<string, unknown> => JSON.parse(asJson(ran)) as Record<string, unknown>;

describe('a command at the machine', () => {
  test('is the control room’s, with or without the mark, by another actor; the room reads the same words', async () => {
    const ran = await runs(`!${MINT} --to @ada`);
    expect(ran.words).toMatch(/Grant [0-9A-Z]{6} is live\. It speaks for @alice:x\.org/);
    expect(exitStatus(ran.error)).toBe(0);
    const [grant] = await grants();
    expect(grant).toMatchObject({
      recipient: ADA,
      reason: 'weekly report',
      minter: expect.stringMatching(/^operator:/) as string,
    });
    await expect.poll(() => inRoom().length).toBe(1);
    expect(inRoom()[0]).toMatch(/Made by the operator “\S+” at the server/);
    expect(stage.sent[0]?.content.replyTo ?? null).toBeNull();
    const audit = await stage.services.ledger.audit(0, 10);
    expect(audit[0]).toMatchObject({
      action: 'mint-requested',
      actor: grant?.minter,
      command: expect.stringMatching(/^exec:/) as string,
    });

    const revoked = await runs(`revoke ${grant?.id ?? ''}`);
    expect(revoked.words).toMatch(/has ended: the operator “\S+” at the server revoked it/);
    expect((await grants())[0]).toMatchObject({
      state: 'ended',
      endCause: 'revoked',
      endedBy: grant?.minter,
    });
    expect(exitStatus((await runs(`revoke ${grant?.id ?? ''}`)).error)).toBe(1);
  });

  test('asked again under the same id is not done again, and answers the same', async () => {
    const [first, second] = [
      await runs(`${MINT} --to @ada`, 'the-same-id'),
      await runs(`${MINT} --to @ada`, 'the-same-id'),
    ];
    expect(second.data['grant']).toEqual(first.data['grant']);
    expect(second.words).toMatch(/is live/);
    const id = (await grants())[0]?.id ?? '';
    const [once, twice] = [
      await runs(`revoke ${id}`, 'another-id'),
      await runs(`revoke ${id}`, 'another-id'),
    ];
    expect([once.error, twice.error]).toEqual([null, null]);
    expect(await grants()).toHaveLength(1);
  });

  test('is held to policy as any is, and its exit status says what kind of no it was', async () => {
    stage.policy = { ...stage.policy, protectedSubjects: ['@alice:x.org' as never] };
    expect(exitStatus((await runs(`${MINT} --to @ada`)).error)).toBe(4);
    expect(exitStatus((await runs('mint @alice --room !ops:x.org')).error)).toBe(2);
    expect(exitStatus((await runs('frobnicate')).error)).toBe(2);
    expect(exitStatus((await runs('show ZZZZ')).error)).toBe(1);
    expect(exitStatus((await runs('help mint')).error)).toBe(0);
    expect(await grants()).toEqual([]);
  });

  test('that acts is refused while others can read the control room; what is only read here is not', async () => {
    stage.room = { ...stage.room, joinRule: 'public' };
    expect((await runs(`${MINT} --to @ada`)).error).toMatchObject({ code: 'not-allowed' });
    expect((await runs('list')).error).toBeNull();
  });

  test('may reload the policy; nobody in the control room may', async () => {
    const ran = await runs('reload');
    expect(ran.words).toMatch(/policy\.max_ttl.*1w.*1d/);
    expect(json(ran)).toMatchObject({
      ok: true,
      command: 'reload',
      changes: [{ key: 'policy.max_ttl', before: '1w', after: '1d' }],
      afterRestart: ['log.level'],
    });
    expect(reloads).toEqual([expect.stringMatching(/^operator:/)]);
    await stage.says('!reload');
    expect(await stage.says('!mw reload')).toMatch(/I have no command “reload”/);
    expect(reloads).toHaveLength(1);
  });

  test('shows the newest rows of the audit', async () => {
    await runs(`${MINT} --to @ada`);
    expect((await runs('audit --last 500')).words).toMatch(/operator:.*mint-requested/);
    expect((await runs('audit')).data['rows']).toContainEqual(
      expect.objectContaining({ seq: 1, action: 'mint-requested' }),
    );
    expect((await runs('audit --last 0')).error).toMatchObject({ code: 'usage' });
  });
});

describe('a token', () => {
  test('goes into a new file that only its owner reads, once the subject is told, and nowhere else', async () => {
    const ran = await runs(`${MINT} --out token.txt`);
    const file = join(folder, 'token.txt');
    const token = (await readFile(file, 'utf8')).trim();
    const [grant] = await grants();
    expect(hashToken(token)).toBe(grant?.tokenHash);
    expect(grant).toMatchObject({ delivery: 'sent', sealedToken: null, state: 'live' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['state', 'token.txt']);
    expect(ran).toMatchObject({
      out: file,
      words: expect.stringMatching(/The token is in .*token\.txt/) as string,
    });
    expect(json(ran)).toMatchObject({ ok: true, out: file, grant: { delivery: 'sent' } });
    const said = JSON.stringify([
      ran,
      stage.sent,
      stage.log.lines,
      await stage.services.ledger.audit(0, 100),
    ]);
    expect(said).not.toContain(token);
    // Neither the room nor the log learns where it went.
    expect(JSON.stringify([stage.sent, stage.log.lines])).not.toContain('token.txt');
    expect(stage.sent.map(({ content }) => content.body).join('\n')).toMatch(/Who gets it: the operator/);
  });

  test.each([
    ['a file', async (path: string) => writeFile(path, 'mine')],
    ['a folder', async (path: string) => mkdir(path)],
    ['a link', async (path: string) => symlink(join(path, '..', 'elsewhere'), path)],
    [
      'another name of a file',
      async (path: string) => writeFile(`${path}.1`, 'mine').then(() => link(`${path}.1`, path)),
    ],
  ])('never goes in place of %s, and nothing is minted', async (_, put) => {
    await put(join(folder, 'token.txt'));
    const before = await readdir(folder);
    const ran = await runs(`${MINT} --out token.txt`);
    expect(ran.error).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/something at .* already/) as string,
    });
    expect(await readdir(folder)).toEqual(before);
    expect(await grants()).toEqual([]);
  });

  test.each(['none/token.txt', '/proc/token.txt', 'state/', '/dev/null', '.', '..', 'x'.repeat(300)])(
    'does not go to %s, and nothing is minted',
    async (name) => {
      expect(exitStatus((await runs(`${MINT} --out ${name}`)).error)).toBe(2);
      expect(await grants()).toEqual([]);
    },
  );

  test('whose file is put there meanwhile stays with the service, says so, and is taken by another try', async () => {
    const { chat } = stage.services;
    const send = chat.send.bind(chat);
    // Somebody puts a file there after it was looked at, and before the token comes.
    Object.assign(chat, {
      send: async (...args: Parameters<typeof chat.send>) => {
        await writeFile(join(folder, 'token.txt'), 'theirs', { flag: 'a' });
        return send(...args);
      },
    });
    const ran = await runs(`${MINT} --out token.txt`);
    expect(ran.error).toMatchObject({
      code: 'state',
      message: expect.stringMatching(/could not be written into the file \(EEXIST\)/) as string,
    });
    expect(exitStatus(ran.error)).toBe(1);
    expect(await readFile(join(folder, 'token.txt'), 'utf8')).not.toContain('mwt_');
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
    const [grant] = await grants();
    expect(grant).toMatchObject({ delivery: 'waiting', state: 'live' });
    expect(json(ran)).toMatchObject({ ok: false, grant: { id: grant?.id, delivery: 'waiting' } });

    const again = await runs(`deliver ${grant?.id ?? ''} --out second.txt`);
    expect(again.error).toBeNull();
    expect(hashToken((await readFile(join(folder, 'second.txt'), 'utf8')).trim())).toBe(grant?.tokenHash);
    expect((await runs(`deliver ${grant?.id ?? ''} --out third.txt`)).error).toMatchObject({
      code: 'conflict',
    });
    expect(await readdir(folder)).not.toContain('third.txt');
  });

  test('is not handed over before the subject is told', async () => {
    await reaper.stop();
    const ran = await runs(`${MINT} --out token.txt`);
    expect(ran.error).toMatchObject({ code: 'subject-unreachable' });
    expect(await readdir(folder)).toEqual(['state']);
  });

  test('needs a way to go; only one; and none goes from chat into a file', async () => {
    expect((await runs(MINT)).words).toMatch(/--to @user:server.*--out FILE/s);
    expect((await runs(`${MINT} --to @ada --out token.txt`)).error).toMatchObject({ code: 'usage' });
    expect(await stage.says(`!${MINT} --out /tmp/token.txt`)).toMatch(/mint has no flag --out/);
    await stage.says(`!${MINT}`);
    const id = (await grants())[0]?.id ?? ('' as GrantId);
    expect((await runs(`deliver ${id} --out token.txt`)).error).toMatchObject({ code: 'not-allowed' });
    expect(await readdir(folder)).toEqual(['state']);
    expect((await runs(`${MINT} --out token.txt --dry-run`)).words).toMatch(
      /Nothing was made.*into the file/s,
    );
    expect(await readdir(folder)).toEqual(['state']);
  });

  test.skipIf(process.getuid?.() === 0)('does not go where the user may not write', async () => {
    await mkdir(join(folder, 'closed'));
    await chmod(join(folder, 'closed'), 0o500);
    expect((await runs(`${MINT} --out closed/token.txt`)).error).toMatchObject({ code: 'usage' });
  });
});

describe('--json', () => {
  test('is one line of ASCII in a documented shape, for each command', async () => {
    await runs(`${MINT} --to @ada`);
    const id = (await grants())[0]?.id ?? '';
    const grant = {
      id,
      state: 'live',
      subject: '@alice:x.org',
      recipient: ADA,
      reason: 'weekly report',
      scope: { rooms: ['!ops:x.org'], can: ['read'] },
    };
    expect(json(await runs('list'))).toMatchObject({
      version: 1,
      ok: true,
      command: 'list',
      grants: [grant],
      more: false,
    });
    expect(json(await runs(`show ${id}`))).toMatchObject({
      grant,
      notice: {},
      delivery: {},
      upstream: [{ state: 'alive' }],
    });
    expect(json(await runs('status'))).toMatchObject({
      ok: true,
      well: true,
      worries: [],
      live: 1,
      upstream: { killing: 0, orphans: 0, unkillable: 0 },
    });
    expect(json(await runs(`can ${id} GET /_matrix/client/v3/sync`))).toMatchObject({
      grant: id,
      passes: 'yes',
    });
    expect(json(await runs('help'))).toMatchObject({ command: 'help', text: expect.any(String) as string });
    expect(json(await runs('lsit'))).toEqual({
      version: 1,
      ok: false,
      command: null,
      error: { code: 'usage', message: 'I have no command “lsit”.', next: 'Write: `!list`' },
    });
    for (const ran of [await runs('list'), await runs('lsit')]) expect(asJson(ran)).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.stringify(json(await runs(`show ${id}`)))).not.toMatch(/mwt_|syt_|sealed|tokenHash/);
  });
});

describe('the words after exec', () => {
  test.each([
    [['list --all'], 'list --all'],
    [['list', '--all'], 'list --all'],
    [
      ['mint', '@alice', '--reason', 'weekly report', '--rooms', '!a,!b'],
      'mint @alice --reason "weekly report" --rooms !a,!b',
    ],
    [['mint', '--reason=say "hi" \\ now'], 'mint --reason="say \\"hi\\" \\\\ now"'],
    [['mint @alice --rooms !x', '--out', 'a b.txt'], 'mint @alice --rooms !x --out "a b.txt"'],
    [['can', '7F3K9Q', 'PUT', '/x', '{"a":1}'], 'can 7F3K9Q PUT /x "{\\"a\\":1}"'],
  ])('%j are the line %s', (words, line) => {
    expect(toLine(words)).toBe(line);
  });

  test('may have exec’s own flags anywhere among them', () => {
    expect(parseFlags(exec, ['list', '--all', '--json', '--config', 'b.yaml'])).toMatchObject({
      COMMAND: 'list --all',
      json: true,
      config: 'b.yaml',
    });
    expect(parseFlags(exec, ['--config=b.yaml', 'list'])).toMatchObject({
      COMMAND: 'list',
      config: 'b.yaml',
    });
    expect(parseFlags(exec, ['--', 'list', '--json'])).toMatchObject({ COMMAND: 'list --json' });
    expect(parseFlags(exec, ['--json'])).not.toHaveProperty('COMMAND');
    expect(() => parseFlags(exec, ['list', '--config'])).toThrow(/needs a value/);
  });
});

test('a service that does not run, or runs for somebody else, is said to', async () => {
  await socket.stop();
  const ran = await runs('list');
  expect(exitStatus(ran.error)).toBe(3);
  expect(ran.words).toMatch(/No Mintwarden answers at .*mintwarden start/s);
  expect(execFileSync('ls', [folder], { encoding: 'utf8' }).trim()).toBe('state');
});
