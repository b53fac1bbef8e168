import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { init, prepareUndo, type InitOptions, type UndoOptions } from '../../../src/app/init/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { runMintwarden } from '../../harness/mintwarden.ts';
import { cut, hold, startProxy } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { uniqueName, type TestUser } from '../../harness/synapse-users.ts';
import { atTerminal } from '../../harness/terminal.ts';
import { silentLog } from '../../support/silent-log.ts';

const MAIN = join(import.meta.dirname, '../../../src/mintwarden.mjs');
const synapse = sharedSynapse();
let parent: string;
let dir: string;
let olivia: TestUser;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'mintwarden-undo-'));
  dir = join(parent, 'etc');
  olivia = await synapse.uniqueUser('olivia');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const asked = (more: Partial<InitOptions> = {}): InitOptions => ({
  homeserverUrl: synapse.baseUrl,
  adminToken: synapse.adminToken,
  publicUrl: 'https://tokens.example.org',
  directory: dir,
  admins: [olivia.userId],
  botLocalpart: uniqueName('bot'),
  issuerLocalpart: uniqueName('issuer'),
  out: () => {},
  log: silentLog,
  ...more,
});
const undoing = (more: Partial<UndoOptions> = {}): UndoOptions => ({
  directory: dir,
  by: 'operator:tester',
  close: false,
  deactivate: false,
  forget: false,
  untold: false,
  adminToken: null,
  out: () => {},
  log: silentLog,
  ...more,
});
async function undo(more: Partial<UndoOptions> = {}): Promise<'done' | 'nothing'> {
  await using prepared = await prepareUndo(undoing(more));
  if (prepared === null) return 'nothing';
  await prepared.carryOut();
  return 'done';
}
const asAdmin = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  matrixRequest(synapse.baseUrl, method, path, {
    token: synapse.adminToken,
    ...(body === undefined ? {} : { body }),
  });
const user = (id: string): Promise<Record<string, unknown>> =>
  asAdmin('GET', `/_synapse/admin/v2/users/${id}`);
const members = async (room: string): Promise<unknown> =>
  (await asAdmin('GET', `/_synapse/admin/v1/rooms/${room}/members`))['members'];
const works = (token: string): Promise<boolean> =>
  matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', { token }).then(
    () => true,
    () => false,
  );

describe('init with what is there already', () => {
  test('accounts and a room that are given are used, checked, and not ended by --undo', async () => {
    const [bot, issuer] = [
      await synapse.uniqueUser('ourbot'),
      await synapse.uniqueUser('ourissuer', { admin: true }),
    ];
    const room = (more: object) =>
      matrixRequest<{ room_id: string }>(synapse.baseUrl, 'POST', '/_matrix/client/v3/createRoom', {
        token: olivia.accessToken,
        body: { preset: 'private_chat', ...more },
      });
    const encrypted = {
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
        { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
      ],
    };
    const names = { botLocalpart: bot.localpart, issuerLocalpart: issuer.localpart };
    await expect(init(asked(names))).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--bot-password-file'),
    });
    const given = { ...names, botPassword: bot.password, issuerPassword: issuer.password };

    const plain = await room({});
    await expect(init(asked({ ...given, controlRoom: plain.room_id }))).rejects.toMatchObject({
      message: expect.stringContaining('it is not encrypted'),
    });
    const open = await room({ preset: 'public_chat', ...encrypted });
    await expect(init(asked({ ...given, controlRoom: open.room_id }))).rejects.toMatchObject({
      message: expect.stringContaining('without an invitation'),
    });
    await expect(init(asked({ ...given, controlRoom: '!nowhere:test.local' }))).rejects.toMatchObject({
      code: 'room-unusable',
    });
    await expect(init(asked({ ...given, controlRoom: '#nowhere:test.local' }))).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });

    const good = await room(encrypted);
    const options = asked({ ...given, controlRoom: good.room_id });
    await expect(init(options)).rejects.toMatchObject({
      code: 'room-unusable',
      hint: expect.stringContaining('Invite'),
    });
    await matrixRequest(synapse.baseUrl, 'POST', `/_matrix/client/v3/rooms/${good.room_id}/invite`, {
      token: olivia.accessToken,
      body: { user_id: bot.userId },
    });
    expect(await init(options)).toMatchObject({ controlRoom: good.room_id, botUserId: bot.userId });
    expect(await members(good.room_id)).toContain(bot.userId);
    const { bot: ours } = await loadConfig(join(dir, 'bot.yaml'), {});

    expect(await undo({ close: true, deactivate: true })).toBe('done');
    for (const { userId, accessToken } of [bot, issuer]) {
      expect(await user(userId)).toMatchObject({ deactivated: false });
      expect(await works(accessToken)).toBe(true);
    }
    expect(await works(ours.access_token)).toBe(false);
    expect(await members(good.room_id)).toEqual([olivia.userId]);
    expect(await asAdmin('GET', `/_synapse/admin/v1/users/${bot.userId}/override_ratelimit`)).toEqual({});
    await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a password that does not open the account given', async () => {
    const bot = await synapse.uniqueUser('ourbot');
    const wrong = asked({ botLocalpart: bot.localpart, botPassword: 'not it' });
    await expect(init(wrong)).rejects.toMatchObject({ code: 'homeserver-refused' });
    // Nor is it taken for one of ours afterwards.
    expect(await undo()).toBe('done');
    expect(await user(bot.userId)).toMatchObject({ deactivated: false });
  });
});

describe('kill -9', () => {
  test('at any step of init, and of init --undo: run again, it goes on where it was', async () => {
    await using proxy = await startProxy(synapse.baseUrl);
    const { botLocalpart = '', issuerLocalpart = '' } = asked();
    const token = join(parent, 'token');
    await writeFile(token, synapse.adminToken, { mode: 0o600 });
    const ids = [botLocalpart, issuerLocalpart].map((name) => `@${name}:test.local`);
    const where = [
      '--homeserver',
      proxy.baseUrl,
      '--public-url',
      'https://tokens.example.org',
      '--admins',
      olivia.userId,
    ];
    const setUp = where.concat(
      '--admin-token-file',
      token,
      '--bot',
      botLocalpart,
      '--issuer',
      issuerLocalpart,
    );
    const killed = [
      ...(await killAtEach(proxy, setUp)),
      ...(await killAtEach(proxy, ['--undo', '--yes', '--close'])),
    ];
    const [bot = '', issuer = ''] = ids;
    const steps = [
      `PUT /_synapse/admin/v2/users/${bot}`,
      `PUT /_synapse/admin/v2/users/${issuer}`,
      'POST /_matrix/client/v3/login',
      `POST /_synapse/admin/v1/users/${bot}/override_ratelimit`,
      'POST /_matrix/client/v3/createRoom',
      expect.stringMatching(/^DELETE \/_synapse\/admin\/v1\/rooms\//),
      `DELETE /_synapse/admin/v1/users/${bot}/override_ratelimit`,
      `POST /_synapse/admin/v1/deactivate/${bot}`,
      `POST /_synapse/admin/v1/deactivate/${issuer}`,
    ];
    expect(killed).toEqual(expect.arrayContaining(steps));
    for (const id of ids) expect(await user(id)).toMatchObject({ deactivated: true });
    await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await undo()).toBe('nothing');
  });

  /**
   * Kills the program when the homeserver has done what it was asked, once for each request that changes
   * something.
   */
  async function killAtEach(
    proxy: Awaited<ReturnType<typeof startProxy>>,
    flags: readonly string[],
  ): Promise<string[]> {
    const seen: string[] = [];
    const name = ({ method, path }: { method: string; path: string }) =>
      `${method} ${decodeURIComponent(path)}`;
    for (;;) {
      const isNew = (request: { method: string; path: string }) =>
        request.method !== 'GET' && !seen.includes(name(request));
      const fault = proxy.on(isNew, hold('after'), { times: 1 });
      const child = spawn(process.execPath, [MAIN, 'init', '--dir', dir, ...flags], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = Promise.all([text(child.stdout), text(child.stderr)]);
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const reached = await Promise.race([fault.reached, ended]);
      fault.remove();
      if (reached === null || typeof reached === 'number') {
        expect({ status: reached, after: seen, said: await said }).toMatchObject({ status: 0 });
        return seen;
      }
      seen.push(name(reached));
      child.kill('SIGKILL');
      await ended;
      fault.release();
    }
  }
});

describe('init --undo', () => {
  test('before the first start: shows, asks, takes away what init made and nothing else', async () => {
    const made = await init(asked());
    await writeFile(join(dir, 'notes.txt'), 'mine');
    const script = await runMintwarden(['init', '--undo', '--dir', dir]);
    expect(script).toMatchObject({
      status: 2,
      output: expect.stringMatching(/init --undo will[^]*Nothing was changed\.[^]*--yes/),
    });
    const dry = await runMintwarden(['init', '--undo', '--dir', dir, '--dry-run']);
    expect(dry.status).toBe(0);
    const no = await atTerminal([MAIN, 'init', '--undo', '--dir', dir], [{ until: 'Go on?', type: 'no\r' }], {
      cwd: parent,
    });
    expect(no).toMatchObject({ status: 0, screen: expect.stringMatching(/Nothing was changed\.\s*$/) });
    const stopped = await atTerminal(
      [MAIN, 'init', '--undo', '--dir', dir],
      [{ until: 'Go on?', type: '\u0003' }],
      { cwd: parent },
    );
    expect(stopped.status).toBe(130);
    expect(await user(made.botUserId)).toMatchObject({ deactivated: false });

    const yes = await atTerminal(
      [MAIN, 'init', '--undo', '--dir', dir],
      [{ until: 'Go on?', type: 'yes\r' }],
      { cwd: parent },
    );
    expect(yes.status).toBe(0);
    for (const id of [made.botUserId, made.issuerUserId])
      expect(await user(id)).toMatchObject({ deactivated: true });
    expect(await readdir(dir)).toEqual(['notes.txt']);
    const again = await runMintwarden(['init', '--undo', '--dir', dir, '--yes']);
    expect(again).toMatchObject({ status: 0, output: expect.stringContaining('nothing to undo') });
  });

  test.each(['before', 'after'] as const)(
    'cut off %s the homeserver acts on any request: a later run goes on',
    async (side) => {
      await using proxy = await startProxy(synapse.baseUrl);
      const made = await init(asked({ homeserverUrl: proxy.baseUrl }));
      const cutAt = new Set<string>();
      const name = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
      for (;;) {
        const fault = proxy.on((request) => !cutAt.has(name(request)), cut(side), { times: 1 });
        const result = await undo().catch(
          (error: Error & { code: string }) => `${error.code}: ${error.message}`,
        );
        fault.remove();
        if (fault.hits === 0) {
          expect(result).toMatch(/done|nothing/);
          break;
        }
        // Where only the answer to the last request was lost, what it asked for is found done.
        expect(result).toMatch(/^homeserver-unreachable/);
        cutAt.add(name(await fault.reached));
      }
      for (const id of [made.botUserId, made.issuerUserId])
        expect(await user(id)).toMatchObject({ deactivated: true });
      expect(existsSync(dir)).toBe(false);
    },
  );

  test('a set-up without a record: accounts are kept unless somebody says that they may go', async () => {
    const made = await init(asked());
    await rm(join(dir, 'secrets', 'init.json'));
    await using prepared = await prepareUndo(undoing());
    expect(prepared?.unknown).toEqual([made.botUserId, made.issuerUserId]);
    await prepared?.carryOut();
    expect(await user(made.botUserId)).toMatchObject({ deactivated: false });
    expect((await stat(parent)).isDirectory()).toBe(true);
  });

  test('an account that is not ours any more is not touched', async () => {
    const made = await init(asked());
    const bot = join(dir, 'secrets', made.botUserId.slice(1, made.botUserId.indexOf(':')));
    await writeFile(`${bot}.token`, 'syt_another', { mode: 0o600 });
    await writeFile(`${bot}.password`, 'another', { mode: 0o600 });
    const lines: string[] = [];
    await undo({ out: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain('is not taken for ours');
    expect(await user(made.botUserId)).toMatchObject({ deactivated: false });
    expect(await user(made.issuerUserId)).toMatchObject({ deactivated: true });
  });
});
