import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { init, type InitOptions } from '../../../src/app/init/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { freePort } from '../../harness/free-port.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { answerWith, cut, startProxy } from '../../harness/proxy.ts';
import { startSynapse, type Synapse } from '../../harness/synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';
import { silentLog } from '../../support/silent-log.ts';

let synapse: Synapse;
let olivia: TestUser;
let dir: string;
let count = 0;

beforeAll(async () => {
  synapse = await startSynapse();
  olivia = await synapse.registerUser('olivia');
});
afterAll(() => synapse?.[Symbol.asyncDispose]());
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'mintwarden-init-')), 'etc');
});
afterEach(() => rm(join(dir, '..'), { recursive: true, force: true }));

/** Answers of a set-up of its own: accounts that no other test has. */
function answers(more: Partial<InitOptions> = {}): InitOptions & { lines: string[] } {
  count += 1;
  const lines: string[] = [];
  return {
    homeserverUrl: synapse.baseUrl,
    adminToken: synapse.adminToken,
    publicUrl: 'https://tokens.example.org',
    directory: dir,
    admins: [olivia.userId],
    botLocalpart: `bot${String(count)}`,
    issuerLocalpart: `issuer${String(count)}`,
    out: (line) => lines.push(line),
    log: silentLog,
    lines,
    ...more,
  };
}

const asAdmin = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  matrixRequest(synapse.baseUrl, method, path, {
    token: synapse.adminToken,
    ...(body === undefined ? {} : { body }),
  });
const user = (id: string): Promise<Record<string, unknown>> =>
  asAdmin('GET', `/_synapse/admin/v2/users/${id}`);
const config = () => loadConfig(join(dir, 'bot.yaml'), {});
const sessions = async (id: string): Promise<number> =>
  Number((await asAdmin('GET', `/_synapse/admin/v2/users/${id}/devices`))['total']);

async function everyFile(): Promise<Record<string, string>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)),
  );
}

describe('init', () => {
  test('makes both accounts, the secrets, the control room and a configuration that loads', async () => {
    const asked = answers();
    const made = await init(asked);
    expect(await user(made.botUserId)).toMatchObject({ admin: false, user_type: 'bot' });
    expect(await user(made.issuerUserId)).toMatchObject({ admin: true, user_type: 'bot' });
    expect(await asAdmin('GET', `/_synapse/admin/v1/users/${made.botUserId}/override_ratelimit`)).toEqual({
      messages_per_second: 0,
      burst_count: 0,
    });
    expect(await asAdmin('GET', `/_synapse/admin/v1/users/${made.issuerUserId}/override_ratelimit`)).toEqual(
      {},
    );

    const { bot, issuer, control_room, admins, homeserver } = await config();
    expect({ control_room, admins, server: homeserver.server_name }).toEqual({
      control_room: made.controlRoom,
      admins: [olivia.userId],
      server: 'test.local',
    });
    const whoami = (token: string) =>
      matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', { token });
    // A device of its own: logged in with its password, not by login as a user.
    expect(await whoami(bot.access_token)).toMatchObject({
      user_id: made.botUserId,
      device_id: expect.any(String),
    });
    expect(await whoami(issuer.access_token)).toMatchObject({
      user_id: made.issuerUserId,
      device_id: expect.any(String),
    });
    expect(await asAdmin('GET', `/_synapse/admin/v1/rooms/${made.controlRoom}`)).toMatchObject({
      encryption: 'm.megolm.v1.aes-sha2',
      join_rules: 'invite',
    });

    for (const [file, text] of Object.entries(await everyFile())) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(text).not.toContain(synapse.adminToken);
    }
    for (const folder of ['', 'secrets', 'state'])
      expect((await stat(join(dir, folder))).mode & 0o777).toBe(0o700);
    expect(asked.lines.join('\n')).not.toMatch(/syt_/);
    expect(asked.lines.join('\n')).not.toContain(bot.password);
  });

  test('a second run changes nothing', async () => {
    const asked = answers();
    const first = await init(asked);
    const before = await everyFile();
    const again = { ...asked };
    expect(await init(again)).toEqual(first);
    expect(await everyFile()).toEqual(before);
    expect(await sessions(first.botUserId)).toBe(1);
    expect(await sessions(first.issuerUserId)).toBe(1);
    expect(await init({ ...asked, force: true })).toEqual(first);
  });

  test.each(['before', 'after'] as const)(
    'cut off %s the homeserver acts on any request, a later run goes on where it was',
    async (side) => {
      await using proxy = await startProxy(synapse.baseUrl);
      const asked = answers({ homeserverUrl: proxy.baseUrl });
      // Each request once, by name: a step that is done falls away from the next run, so that a count would
      // miss some.
      const cutAt = new Set<string>();
      const name = ({ method, path }: { method: string; path: string }) =>
        `${method} ${decodeURIComponent(path.split('?')[0] ?? '')}`;
      for (;;) {
        const fault = proxy.on((request) => !cutAt.has(name(request)), cut(side), { times: 1 });
        const result = await init(asked).then(
          () => 'done',
          (error: { code: string }) => error.code,
        );
        fault.remove();
        if (fault.hits === 0) {
          expect(result).toBe('done');
          break;
        }
        expect(result).toBe('homeserver-unreachable');
        cutAt.add(name(await fault.reached));
      }
      const account = (localpart = '') => `PUT /_synapse/admin/v2/users/@${localpart}:test.local`;
      const steps = [
        account(asked.botLocalpart),
        account(asked.issuerLocalpart),
        'POST /_matrix/client/v3/login',
        'POST /_matrix/client/v3/createRoom',
      ];
      expect([...cutAt]).toEqual(expect.arrayContaining(steps));
      const made = await init({ ...asked });
      expect(await user(made.botUserId)).toMatchObject({ admin: false, user_type: 'bot' });
      expect(await user(made.issuerUserId)).toMatchObject({ admin: true, user_type: 'bot' });
      const rooms = await asAdmin('GET', `/_synapse/admin/v1/users/${made.botUserId}/joined_rooms`);
      expect(rooms['joined_rooms']).toEqual([made.controlRoom]);
      expect((await readdir(join(dir, 'secrets'))).filter((name) => name.endsWith('.new'))).toEqual([]);
    },
  );

  test("an account that is somebody else's is refused, and not touched", async () => {
    const theirs = await synapse.uniqueUser('theirs');
    const asked = answers({ botLocalpart: theirs.localpart });
    await expect(init(asked)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(theirs.userId),
    });
    await matrixRequest(synapse.baseUrl, 'POST', '/_matrix/client/v3/login', {
      body: {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: theirs.localpart },
        password: theirs.password,
      },
    });
    const victim = await synapse.uniqueUser('victim', { admin: true });
    await expect(init(answers({ issuerLocalpart: victim.localpart }))).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await user(victim.userId)).toMatchObject({ user_type: null, displayname: victim.localpart });
  });

  test('a password of ours that no longer opens the account', async () => {
    const asked = answers();
    const made = await init(asked);
    await rm(join(dir, 'secrets', `${asked.botLocalpart ?? ''}.token`));
    await writeFile(join(dir, 'secrets', `${asked.botLocalpart ?? ''}.password`), 'another');
    await rm(join(dir, 'bot.yaml'));
    await expect(init(asked)).rejects.toMatchObject({
      code: 'homeserver-refused',
      message: expect.stringContaining(made.botUserId),
    });
  });

  test('checks first: nothing is made where something stands in the way', async () => {
    const cases: [Partial<InitOptions>, RegExp][] = [
      [{ adminToken: 'syt_nobody' }, /does not know the administrator's token/],
      [{ adminToken: olivia.accessToken }, /@olivia:test\.local is no server administrator/],
      [{ publicUrl: 'http://tokens.example.org' }, /https/],
      [{ publicUrl: 'tokens' }, /gateway\.public_url/],
      [{ admins: ['@nobody:test.local'] }, /no user @nobody:test\.local/],
      [{ admins: ['@you:elsewhere.example'] }, /not on test\.local/],
      [{ admins: ['no one'] }, /not a user id/],
      [{ admins: [] }, /admins/],
      [{ directory: join(import.meta.filename, 'etc') }, /cannot be a folder: a file is in its way/],
      [{ botLocalpart: 'x:evil.example' }, /cannot be the name of an account/],
      [{ botLocalpart: 'same', issuerLocalpart: 'same' }, /must be two accounts/],
      [{ listen: 'nowhere' }, /gateway\.listen/],
      [{ homeserverUrl: 'ftp://x' }, /not the address of a homeserver/],
      [{ homeserverUrl: `http://127.0.0.1:${String(await freePort())}` }, /cannot be reached/],
    ];
    for (const [more, says] of cases) {
      await expect(init(answers(more))).rejects.toMatchObject({ message: expect.stringMatching(says) });
    }
    await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
    for (let n = 1; n <= count; n += 1)
      if (n > count - cases.length)
        await expect(user(`@bot${String(n)}:test.local`)).rejects.toMatchObject({ status: 404 });
  });

  test('a homeserver that leaves logins to another service, or has no password login', async () => {
    await using proxy = await startProxy(synapse.baseUrl);
    const mas = proxy.on(
      { path: '/auth_metadata' },
      answerWith(200, { issuer: 'https://auth.example.org/' }),
    );
    await expect(init(answers({ homeserverUrl: proxy.baseUrl }))).rejects.toMatchObject({
      message: expect.stringContaining('Matrix Authentication Service'),
    });
    mas.remove();
    proxy.on({ method: 'GET', path: '/login' }, answerWith(200, { flows: [{ type: 'm.login.sso' }] }));
    await expect(init(answers({ homeserverUrl: proxy.baseUrl }))).rejects.toMatchObject({
      hint: expect.stringContaining('password_config'),
    });
  });

  test('another set-up in the same folder is refused', async () => {
    await init(answers());
    await expect(init(answers())).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--force'),
    });
  });
});
