import { spawn } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { type CheckId, doctor, type Finding, unreadableConfig } from '../../../src/app/doctor/index.ts';
import type { Report } from '../../../src/app/doctor/report.ts';
import { type Config, loadConfig } from '../../../src/config/index.ts';
import { MintwardenError } from '../../../src/domain/errors.ts';
import { loginWithPassword } from '../../../src/matrix/accounts.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { sampleGrant, sampleLease } from '../../contract/sample.ts';
import { freePort } from '../../harness/free-port.ts';
import { startJsClient, type JsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { type Mintwarden, setUpMintwarden } from '../../harness/mintwarden.ts';
import { answerWith, type Fault, type Proxy, startProxy } from '../../harness/proxy.ts';
import { startSynapse, type Synapse } from '../../harness/synapse.ts';

/*
 * Each kind of broken set-up, made for real: one set-up on one Synapse, broken, looked at, mended by what
 * doctor says (a command it gives is run as it stands; for the rest the test does what the sentence says),
 * and looked at again.
 */

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const V3 = '/_matrix/client/v3';
const part = encodeURIComponent;

let synapse: Synapse;
let proxy: Proxy;
let mintwarden: Mintwarden;
let olivia: JsClient;
let scratch: string;
let goodYaml: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'mintwarden-doctor-'));
  synapse = await startSynapse();
  proxy = await startProxy(synapse.baseUrl);
  olivia = await startJsClient(synapse, await synapse.registerUser('olivia'));
  mintwarden = await setUpMintwarden({
    homeserverUrl: synapse.baseUrl,
    adminToken: synapse.adminToken,
    admins: [olivia.userId],
  });
  goodYaml = await readFile(mintwarden.configPath, 'utf8');
  // The program by its name, as the commands have it.
  const main = join(import.meta.dirname, '../../../src/mintwarden.mjs');
  await writeFile(join(scratch, 'mintwarden'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
    mode: 0o755,
  });
});
afterAll(async () => {
  await mintwarden?.[Symbol.asyncDispose]();
  await olivia?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await synapse?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

const config = (): Promise<Config> => loadConfig(mintwarden.configPath, {});

async function look(): Promise<readonly Finding[]> {
  let read: Config;
  try {
    read = await config();
  } catch (error) {
    if (error instanceof MintwardenError) return unreadableConfig(error);
    throw error;
  }
  return doctor(read, quiet);
}

/** The finding of a check that does not hold. */
async function broken(id: CheckId, says: RegExp, severity: 'warn' | 'fail' = 'fail'): Promise<Finding> {
  const findings = await look();
  const found = findings.find((finding) => finding.id === id && finding.severity !== 'ok');
  expect(
    findings
      .filter(({ severity: how }) => how !== 'ok')
      .map(({ id: bad, found: what }) => `${bad}: ${what}`)
      .join('\n'),
  ).toMatch(says);
  expect(found).toMatchObject({
    severity,
    found: expect.stringMatching(says) as string,
    why: expect.any(String) as string,
    mend: expect.any(String) as string,
  });
  return found as Finding;
}

async function mended(id: CheckId): Promise<void> {
  const findings = (await look()).filter((finding) => finding.id === id);
  expect(findings.map(({ severity, found }) => `${severity}: ${found}`)).toEqual(
    findings.map(({ found }) => `ok: ${found}`),
  );
  expect(findings).not.toEqual([]);
}

/** What the finding says to run, run as it stands; the service is started as the harness does it. */
async function run({ command }: Finding): Promise<void> {
  expect(command).not.toBeNull();
  for (const line of (command ?? '').split('\n')) {
    if (line.startsWith('mintwarden start ')) await mintwarden.start();
    else await shell(line);
  }
}

function shell(line: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const env = {
    ...process.env,
    PATH: `${scratch}:${process.env['PATH'] ?? ''}`,
    ADMIN_TOKEN: synapse.adminToken,
    MINTWARDEN_ADMIN_TOKEN: synapse.adminToken,
  };
  const child = spawn('sh', ['-c', line], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  child.once(
    'close',
    (code) =>
      void said.then(([out, err]) =>
        code === 0 ? resolve(out) : reject(new Error(`${line}\n${out}${err}`)),
      ),
  );
  return promise;
}

/** Changes keys of bot.yaml. */
async function configure(keys: Readonly<Record<string, unknown>>): Promise<void> {
  const yaml = parseDocument(goodYaml);
  for (const [key, value] of Object.entries(keys)) yaml.setIn(key.split('.'), value);
  await writeFile(mintwarden.configPath, yaml.toString(), { mode: 0o600 });
}
const asItWas = (): Promise<void> => writeFile(mintwarden.configPath, goodYaml, { mode: 0o600 });

const asAdmin = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  matrixRequest(synapse.baseUrl, method, path, {
    token: synapse.adminToken,
    ...(body === undefined ? {} : { body }),
  });
const inRoom = (path: string): string => `${V3}/rooms/${part(mintwarden.controlRoomId)}/${path}`;
const asOlivia = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  matrixRequest(synapse.baseUrl, method, path, {
    token: olivia.accessToken,
    ...(body === undefined ? {} : { body }),
  });
const setState = (type: string, content: object): Promise<unknown> =>
  asOlivia('PUT', inRoom(`state/${type}/`), content);
const stateOf = (type: string): Promise<Record<string, unknown>> => asOlivia('GET', inRoom(`state/${type}/`));

/** An HTTP server that goes away at the end of its block. */
async function served(listener: RequestListener, port = 0): Promise<AsyncDisposable & { url: string }> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A proxy that sends requests here or there. */
const passing =
  (to: (token: boolean, path: string) => string, more: Record<string, string> = {}): RequestListener =>
  (incoming, response) => {
    const path = incoming.url ?? '/';
    const target = to(incoming.headers.authorization?.startsWith('Bearer mwt_') === true, path);
    const onward = httpRequest(
      target + path,
      { method: incoming.method, headers: { ...incoming.headers, ...more } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };

describe('before the first start', () => {
  test('nothing must be mended, and what comes with the first start is said', async () => {
    const findings = await look();
    const bad = findings
      .filter(({ severity }) => severity !== 'ok')
      .map(({ id, severity }) => `${severity} ${id}`);
    expect(bad).toEqual([
      'warn sealing-key',
      'warn control-room-admins',
      'warn bot-device',
      'warn ledger',
      'warn service',
    ]);
    expect(JSON.stringify(findings)).not.toContain((await config()).issuer.access_token);
  });
});

describe('beside the running service', () => {
  beforeAll(async () => {
    await mintwarden.start();
    await olivia.waitForInvite((invite) => invite.roomId === mintwarden.controlRoomId);
    await olivia.join(mintwarden.controlRoomId);
  });

  test('all is well, for people and for scripts', async () => {
    const { status, output } = await mintwarden.command('doctor');
    expect(output).toMatch(/Nothing must be mended; 0 to look at; \d\d well\./);
    expect(status).toBe(0);
    const report = JSON.parse((await mintwarden.command('doctor', '--json', '--strict')).output) as Report;
    expect(report).toMatchObject({ version: 1, worst: 'ok' });
    expect(report.findings.map(({ id }) => id)).toEqual([...new Set(report.findings.map(({ id }) => id))]);
  });

  test('the socket of exec is open to others, or gone', async () => {
    const socket = join(mintwarden.dir, 'state', 'control.sock');
    await chmod(socket, 0o666);
    await run(await broken('control-socket', /Others may open/));
    await mended('control-socket');
    await rename(socket, `${socket}.aside`);
    expect((await broken('control-socket', /There is no socket/, 'warn')).mend).toMatch(
      /^Restart the service/,
    );
    await mintwarden.stop();
    await mintwarden.start();
    await mended('control-socket');
    await rm(`${socket}.aside`, { force: true });
  });

  test('the homeserver limits the bot', async () => {
    await asAdmin('DELETE', `/_synapse/admin/v1/users/${mintwarden.botUserId}/override_ratelimit`);
    const finding = await broken('bot-rate-limit', /limits how fast/, 'warn');
    expect((await mintwarden.command('doctor')).status).toBe(0);
    expect((await mintwarden.command('doctor', '--strict')).status).toBe(3);
    await run(finding);
    await mended('bot-rate-limit');
  });

  test('the bot is a server administrator', async () => {
    await asAdmin('PUT', `/_synapse/admin/v1/users/${mintwarden.botUserId}/admin`, { admin: true });
    const finding = await broken('bot-rights', /is a server administrator/);
    const said = await mintwarden.command('doctor', '--json');
    expect(said.status).toBe(1);
    expect(JSON.parse(said.output)).toMatchObject({ worst: 'fail' });
    await run(finding);
    await mended('bot-rights');
  });

  test('the issuer has an exception from the rate limits', async () => {
    const { issuer } = await config();
    await asAdmin('POST', `/_synapse/admin/v1/users/${issuer.user_id}/override_ratelimit`, {
      messages_per_second: 0,
      burst_count: 0,
    });
    await run(await broken('issuer-rate-limit', /exception/));
    await mended('issuer-rate-limit');
  });

  test('the issuer is no server administrator', async () => {
    const { issuer } = await config();
    await asAdmin('PUT', `/_synapse/admin/v1/users/${issuer.user_id}/admin`, { admin: false });
    await run(await broken('issuer-rights', /no server administrator/));
    await mended('issuer-rights');
  });

  test('neither account is marked as a bot', async () => {
    const { issuer } = await config();
    for (const [id, userId] of [
      ['bot-consent', mintwarden.botUserId],
      ['issuer-consent', issuer.user_id],
    ] as const) {
      await asAdmin('PUT', `/_synapse/admin/v2/users/${userId}`, { user_type: null });
      await run(await broken(id, /not marked as a bot/, 'warn'));
      await mended(id);
    }
  });

  test('somebody else is logged in as the bot, and as the issuer', async () => {
    const { bot, issuer } = await config();
    for (const [id, account] of [
      ['bot-sessions', bot],
      ['issuer-sessions', issuer],
    ] as const) {
      await loginWithPassword(
        synapse.baseUrl,
        account.user_id,
        account.password ?? '',
        "it's $(touch me) `mine`",
      );
      await run(await broken(id, /has other sessions: \w+ \(it's/, 'warn'));
      await mended(id);
    }
  });

  test('an admin who does not exist', async () => {
    await configure({ admins: [olivia.userId, '@nobody:test.local'] });
    await broken('admins', /@nobody:test\.local does not exist/, 'warn');
    await asItWas();
    await mended('admins');
  });

  test('the control room can be joined by anybody, or by guests', async () => {
    await setState('m.room.join_rules', { join_rule: 'public' });
    await broken('control-room-access', /without an invitation \(public\)/);
    await setState('m.room.join_rules', { join_rule: 'invite' });
    await setState('m.room.guest_access', { guest_access: 'can_join' });
    await broken('control-room-access', /Guests/);
    await setState('m.room.guest_access', { guest_access: 'forbidden' });
    await mended('control-room-access');
  });

  test('its history can be read by anyone', async () => {
    await setState('m.room.history_visibility', { history_visibility: 'world_readable' });
    await broken('control-room-history', /read by anyone/);
    await setState('m.room.history_visibility', { history_visibility: 'invited' });
    await mended('control-room-history');
  });

  test('a stranger is in it', async () => {
    const eve = await synapse.uniqueUser('eve');
    await olivia.invite(mintwarden.controlRoomId, eve.userId);
    await broken('control-room-members', /@eve/, 'warn');
    await matrixRequest(synapse.baseUrl, 'POST', `${V3}/join/${part(mintwarden.controlRoomId)}`, {
      token: eve.accessToken,
      body: {},
    });
    await broken('control-room-members', /@eve/, 'warn');
    await asOlivia('POST', inRoom('kick'), { user_id: eve.userId });
    await mended('control-room-members');
  });

  test('an admin is not in it, and one has no identity', async () => {
    const ann = await synapse.uniqueUser('ann');
    await configure({ admins: [olivia.userId, ann.userId] });
    expect((await broken('control-room-admins', /Not in it: @ann/, 'warn')).mend).toMatch(/^Invite them/);
    await broken('admin-identities', /Without cross-signing: @ann/, 'warn');
    await olivia.invite(mintwarden.controlRoomId, ann.userId);
    expect((await broken('control-room-admins', /Not in it: @ann/, 'warn')).mend).toMatch(/let them accept/);
    await using client = await startJsClient(synapse, ann);
    await client.join(mintwarden.controlRoomId);
    await mended('control-room-admins');
    await mended('admin-identities');
    await client.leave(mintwarden.controlRoomId);
    await asItWas();
  });

  test('everybody in it may change it', async () => {
    const levels = await stateOf('m.room.power_levels');
    await setState('m.room.power_levels', { ...levels, state_default: 0 });
    await broken('control-room-power', /Every member may change it/);
    await setState('m.room.power_levels', {
      ...levels,
      users: { ...(levels['users'] as object), '@eve:test.local': 100 },
    });
    await broken('control-room-power', /without being admins: @eve/);
    await setState('m.room.power_levels', levels);
    await mended('control-room-power');
  });

  test('the control room is another one, which is not encrypted', async () => {
    const { bot } = await config();
    const body = {
      preset: 'private_chat',
      initial_state: [{ type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } }],
    };
    const { room_id: room } = await matrixRequest<{ room_id: string }>(
      synapse.baseUrl,
      'POST',
      `${V3}/createRoom`,
      { token: bot.access_token, body },
    );
    await configure({ control_room: room });
    await broken('control-room-encryption', /not encrypted/);
    await matrixRequest(synapse.baseUrl, 'PUT', `${V3}/rooms/${part(room)}/state/m.room.encryption/`, {
      token: bot.access_token,
      body: { algorithm: 'm.megolm.v1.aes-sha2' },
    });
    await mended('control-room-encryption');
    await asItWas();
  });

  test('the bot was removed from it: invited again, it joins by itself', async () => {
    const { bot } = await config();
    await matrixRequest(synapse.baseUrl, 'POST', inRoom('leave'), { token: bot.access_token, body: {} });
    expect((await broken('control-room', /The bot is not in/)).mend).toContain(`Invite ${bot.user_id}`);
    await olivia.invite(mintwarden.controlRoomId, bot.user_id);
    await olivia.waitForMember(mintwarden.controlRoomId, bot.user_id);
    await mended('control-room');
  });

  describe('the public address', () => {
    test('nobody is there', async () => {
      await configure({ 'gateway.public_url': `http://127.0.0.1:${String(await freePort())}` });
      await broken('public-address', /Nobody answers at/);
      await asItWas();
      await mended('public-address');
    });

    test('the homeserver is there', async () => {
      await configure({ 'gateway.public_url': proxy.baseUrl });
      await broken('public-address', /a homeserver answers, not this gateway/);
      await asItWas();
      await mended('public-address');
    });

    test('another Mintwarden is there', async () => {
      await using other = await setUpMintwarden({
        homeserverUrl: synapse.baseUrl,
        adminToken: synapse.adminToken,
        admins: [olivia.userId],
        dir: join(scratch, 'other'),
        bot: 'other-bot',
        issuer: 'other-issuer',
      });
      await other.start();
      await configure({ 'gateway.public_url': other.gatewayUrl });
      await broken('public-address', /another Mintwarden answers/);
      await asItWas();
      await mended('public-address');
    });

    test('a web page is there', async () => {
      await using page = await served((_, response) => response.end('<h1>It works!</h1>'));
      await configure({ 'gateway.public_url': page.url });
      await broken('public-address', /something else answers \(status 200\)/);
      await asItWas();
    });

    test('a proxy passes our own paths alone: holders’ requests would go to the homeserver', async () => {
      await using split = await served(
        passing((_, path) => (path.startsWith('/_mintwarden') ? mintwarden.gatewayUrl : synapse.baseUrl)),
      );
      await configure({ 'gateway.public_url': split.url });
      await broken('public-address', /a homeserver answers/);
      await asItWas();
    });

    test('a proxy that answers from memory proves nothing', async () => {
      const seen = new Map<string, string>();
      await using stale = await served((incoming, response) => {
        const path = (incoming.url ?? '').replace(/instance\/.*/, 'instance');
        void fetch(mintwarden.gatewayUrl + (incoming.url ?? '')).then(async (answer) => {
          if (!seen.has(path)) seen.set(path, await answer.text());
          response.setHeader('content-type', 'application/json').end(seen.get(path));
        });
      });
      await fetch(`${stale.url}/_matrix/client/unstable/org.mintwarden/instance/${'x'.repeat(32)}`);
      await configure({ 'gateway.public_url': stale.url });
      await broken('public-address', /not this gateway/);
      await asItWas();
    });

    test('the homeserver is beside it, for people: no fault, and said', async () => {
      await using split = await served(
        passing((isScoped) => (isScoped ? mintwarden.gatewayUrl : synapse.baseUrl)),
      );
      await configure({ 'gateway.public_url': split.url });
      await mended('public-address');
      expect(await look()).toContainEqual(
        expect.objectContaining({
          id: 'client-api-beside',
          severity: 'ok',
          found: expect.stringContaining('the homeserver itself answers') as string,
        }),
      );
      await asItWas();
    });

    test('holders can say themselves where they come from', async () => {
      // The service has to believe its proxy for that.
      await configure({ 'gateway.trusted_proxies': ['127.0.0.1'] });
      await mintwarden.stop();
      await mintwarden.start();
      await broken('trusted-proxies', /own word on where it comes from/);
      await using good = await served(
        passing(() => mintwarden.gatewayUrl, { 'x-forwarded-for': '198.51.100.7' }),
      );
      await configure({ 'gateway.trusted_proxies': ['127.0.0.1'], 'gateway.public_url': good.url });
      await mended('trusted-proxies');
      await asItWas();
      await mintwarden.stop();
      await mintwarden.start();
      await mended('trusted-proxies');
    });
  });

  describe('the homeserver', () => {
    /** Through the proxy, with something planned. */
    async function behind(fault: () => { remove: () => void }, looking: () => Promise<void>): Promise<void> {
      await configure({ 'homeserver.url': proxy.baseUrl });
      const planned = fault();
      try {
        await looking();
      } finally {
        planned.remove();
      }
    }

    test('is not at its address', async () => {
      await using page = await served((_, response) => response.writeHead(404).end('<h1>Not found</h1>'));
      await configure({ 'homeserver.url': page.url });
      await broken('homeserver', /no Matrix homeserver/);
      expect((await look()).map(({ id }) => id)).not.toContain('bot-token');
      await asItWas();
      await mended('homeserver');
    });

    test('has another name', async () => {
      await configure({ 'homeserver.server_name': 'example.org' });
      await broken('configuration', /not on example\.org/);
      const renamed = (user: string): string => user.replace('test.local', 'example.org');
      const { bot, issuer } = parse(goodYaml) as { bot: { user_id: string }; issuer: { user_id: string } };
      await configure({
        'homeserver.server_name': 'example.org',
        'bot.user_id': renamed(bot.user_id),
        'issuer.user_id': renamed(issuer.user_id),
      });
      expect((await broken('issuer-token', /belongs to @mintwarden-issuer:test\.local/)).mend).toMatch(
        /server_name/,
      );
      await asItWas();
      await mended('issuer-token');
      await mended('configuration');
    });

    test('hides its admin API behind a proxy', async () => {
      for (const status of [403, 404, 502]) {
        await behind(
          () => proxy.on({ path: '/_synapse/' }, answerWith(status, '<html>')),
          async () => void (await broken('admin-api', /admin API is not there|its version/)),
        );
      }
      await configure({ 'homeserver.url': synapse.baseUrl });
      await mended('admin-api');
      await asItWas();
    });

    test('leaves logins to another service', async () => {
      await behind(
        () => proxy.on({ path: '/auth_metadata' }, answerWith(200, { issuer: 'https://auth.example.org/' })),
        async () => void (await broken('logins', /Matrix Authentication Service/)),
      );
      await mended('logins');
      await asItWas();
    });

    test('is an old Synapse', async () => {
      await behind(
        () => proxy.on({ path: '/server_version' }, answerWith(200, { server_version: '1.98.0' })),
        async () => void (await broken('synapse-version', /Synapse 1\.98\.0/)),
      );
      await mended('synapse-version');
      await asItWas();
    });

    test('has a clock that is wrong', async () => {
      const dated = (skewMs: number): Fault => ({
        after: ({ response }, { status, headers, body }) => {
          response
            .writeHead(status, { ...headers, date: new Date(Date.now() + skewMs).toUTCString() })
            .end(body);
        },
      });
      for (const [skewMs, severity, says] of [
        [-20_000, 'warn', /behind/],
        [3_600_000, 'fail', /1 hour ahead|59 min.* ahead/],
      ] as const) {
        await behind(
          () => proxy.on({ path: '/versions' }, dated(skewMs)),
          async () => void (await broken('clock', says, severity)),
        );
      }
      await mended('clock');
      await asItWas();
    });
  });
});

describe('with the service stopped', () => {
  const state = (...more: string[]): string => join(mintwarden.dir, 'state', ...more);
  const secrets = (...more: string[]): string => join(mintwarden.dir, 'secrets', ...more);
  let backup: string;

  beforeAll(async () => {
    await mintwarden.stop();
    backup = join(scratch, 'backup');
    await cp(mintwarden.dir, backup, { recursive: true });
  });
  const restore = (file: string): Promise<void> => copyFile(join(backup, file), join(mintwarden.dir, file));

  test('it says so, and all else is well', async () => {
    const bad = (await look()).filter(({ severity }) => severity !== 'ok');
    expect(bad).toMatchObject([
      { id: 'service', severity: 'warn', command: expect.stringContaining('mintwarden start') as string },
    ]);
  });

  test('a secret that the group may read, or everybody; a folder that others may write to', async () => {
    const token = secrets('mintwarden-issuer.token');
    await chmod(token, 0o640);
    await run(await broken('secret-files', /group has access to .*mintwarden-issuer\.token/, 'warn'));
    await mended('secret-files');
    await chmod(token, 0o644);
    await run(await broken('configuration', /can be read by every user/));
    await mended('configuration');
    await chmod(secrets('cross-signing.sealed'), 0o604);
    await run(await broken('secret-files', /Every user of this machine has access/));
    await mended('secret-files');
    await chmod(secrets(), 0o770);
    await run(await broken('secret-files', /may write into/));
    await mended('secret-files');
  });

  test('a state folder that others may look into, or write to', async () => {
    await chmod(state(), 0o755);
    await run(await broken('state-folder', /may look into/, 'warn'));
    await mended('state-folder');
    await chmod(state(), 0o777);
    await run(await broken('state-folder', /may write into/));
    await mended('state-folder');
  });

  test('the sealing key is lost, open to others, or another one', async () => {
    const key = secrets('sealing.key');
    await rename(key, join(scratch, 'key'));
    expect((await broken('sealing-key', /is lost/)).mend).toContain(`Put ${key} back`);
    await rename(join(scratch, 'key'), key);
    await mended('sealing-key');
    await chmod(key, 0o640);
    await run(await broken('sealing-key', /Others on this machine can read/));
    await mended('sealing-key');
    await writeFile(key, `${'A'.repeat(43)}\n`);
    expect((await broken('sealing-key', /secrets are sealed with [0-9a-f]{12}/)).mend).toMatch(
      /put the key [0-9a-f]{12} back/,
    );
    await restore('secrets/sealing.key');
    await mended('sealing-key');
  });

  test('the saved identity is lost or damaged: the service saves it anew', async () => {
    const file = secrets('cross-signing.sealed');
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.replace(/.{8}\n$/, 'AAAAAAAA\n'), { mode: 0o600 });
    expect((await broken('seeds', /does not open/)).mend).toMatch(/^Move the file aside and restart/);
    await rm(file);
    expect((await broken('seeds', /not saved/)).mend).toMatch(/^Restart the service/);
    await mintwarden.start();
    await mended('seeds');
    await mintwarden.stop();
  });

  test('the ledger is damaged', async () => {
    const file = state('ledger.sqlite');
    const bytes = await readFile(file);
    await copyFile(file, join(scratch, 'ledger'));
    for (const spoil of [
      (copy: Buffer) => copy.fill(0xa5, 4096, 4096 * 3),
      (copy: Buffer) => copy.fill(0, 0, 16),
      (copy: Buffer) => copy.subarray(0, 4096 * 2),
    ]) {
      await writeFile(file, spoil(Buffer.from(bytes)));
      expect((await broken('ledger-integrity', /is damaged/)).mend).toMatch(/bring the newest good copy/);
    }
    await copyFile(join(scratch, 'ledger'), file);
    await mended('ledger-integrity');
  });

  test.each([
    ['a time in it', `UPDATE audit SET event = json_set(event, '$.at', 1) WHERE seq = 1`],
    ['it is nonsense', `UPDATE audit SET event = 'x' WHERE seq = 1`],
    ['the last row is cut off', `DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)`],
  ])('the audit was changed: %s', async (_, change) => {
    const file = state('ledger.sqlite');
    await copyFile(file, join(scratch, 'ledger'));
    const db = new DatabaseSync(file);
    for (const { name } of db
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'`)
      .all()) {
      db.exec(`DROP TRIGGER ${String(name)}`);
    }
    const { changes } = db.prepare(change).run();
    db.close();
    expect(changes).toBe(1);
    try {
      expect((await broken('audit-chain', /row \d|not there|missing/i)).mend).toMatch(
        /bring a copy from before back/,
      );
    } finally {
      await copyFile(join(scratch, 'ledger'), file);
    }
    await mended('audit-chain');
  });

  test('an upstream token that a crash left behind; one that was sealed with another key', async () => {
    const file = state('ledger.sqlite');
    await copyFile(file, join(scratch, 'ledger'));
    const grant = sampleGrant({ id: 'AAAAA1', state: 'failed' });
    const lease = sampleLease({ id: 'l1', grantId: grant.id, state: 'orphan' });
    const ledger = await openSqliteLedger({ file, log: quiet });
    await ledger.commit({ at: Date.now(), grants: [grant], leases: [lease] });
    expect((await broken('orphan-leases', /1 upstream tokens? may be alive/, 'warn')).mend).toMatch(
      /^Wait for their ends/,
    );
    await ledger.commit({
      at: Date.now(),
      leases: [{ ...lease, revision: 2, state: 'dead', sealed: 'v1.aaaaaaaaaaaa.x.y' }],
    });
    await mended('orphan-leases');
    await broken('sealing-key', /secrets are sealed with aaaaaaaaaaaa/);
    await ledger.close();
    await copyFile(join(scratch, 'ledger'), file);
    await mended('sealing-key');
  });

  test('something else has the port', async () => {
    const port = Number(new URL(mintwarden.gatewayUrl).port);
    const taken = createTcpServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    expect((await broken('gateway-listen', /EADDRINUSE/)).command).toContain(String(port));
    await new Promise((resolve) => taken.close(resolve));
    await mended('gateway-listen');
  });

  test('the disk is nearly full', async ({ skip }) => {
    const small = join(scratch, 'small');
    await mkdir(small, { mode: 0o700 });
    const mounted = await shell(`mount -t tmpfs -o size=1m,mode=700 tmpfs '${small}'`).then(
      () => true,
      () => false,
    );
    skip(!mounted, 'mounting is not permitted here');
    try {
      await configure({ state_dir: small });
      await broken('disk-space', /Only \d MiB are free/);
      await shell(`mount -o remount,size=1g '${small}'`);
      await mended('disk-space');
    } finally {
      await asItWas();
      await shell(`umount '${small}'`);
    }
  });

  test('the homeserver is down; and the bot’s session is not signed, which the service repairs', async () => {
    await synapse.stop();
    await broken('homeserver', /cannot be reached/);
    // As after a first start that was cut off before the signature was sent.
    const db = new DatabaseSync(synapse.databasePath, { timeout: 10_000 });
    db.prepare('DELETE FROM e2e_cross_signing_signatures WHERE user_id = ?').run(mintwarden.botUserId);
    for (const { device_id: deviceId, key_json: json } of db
      .prepare('SELECT device_id, key_json FROM e2e_device_keys_json WHERE user_id = ?')
      .all(mintwarden.botUserId)) {
      const keys = JSON.parse(String(json)) as { signatures: Record<string, Record<string, string>> };
      const own = `ed25519:${String(deviceId)}`;
      keys.signatures = {
        [mintwarden.botUserId]: { [own]: keys.signatures[mintwarden.botUserId]?.[own] ?? '' },
      };
      db.prepare('UPDATE e2e_device_keys_json SET key_json = ? WHERE user_id = ? AND device_id = ?').run(
        JSON.stringify(keys),
        mintwarden.botUserId,
        String(deviceId),
      );
    }
    db.close();
    await synapse.start();
    await mended('homeserver');
    expect((await broken('bot-device-signed', /not signed/)).mend).toMatch(/^Restart the service/);
    await mintwarden.start();
    await mended('bot-device-signed');
    await mintwarden.stop();
  });

  test('the encryption store is lost', async () => {
    await rm(state('crypto'), { recursive: true });
    await run(await broken('bot-device', /encryption store of the bot's session is lost/));
    await mended('bot-device');
    await mended('bot-device-signed');
    await mended('public-address');
    await mintwarden.stop();
  });

  test.each([
    ['issuer-token', 'issuer'],
    ['bot-token', 'bot'],
  ] as const)('%s: the session was ended', async (id, which) => {
    await matrixRequest(synapse.baseUrl, 'POST', `${V3}/logout`, {
      token: (await config())[which].access_token,
      body: {},
    });
    await run(await broken(id, /is not known to the homeserver/));
    await mended(id);
    await mended(which === 'bot' ? 'bot-rate-limit' : 'issuer-rights');
  });

  test('with both sessions new, it starts, and all is well', async () => {
    await mintwarden.start();
    const bad = (await look()).filter(({ severity }) => severity !== 'ok');
    expect(bad).toEqual([]);
    await mintwarden.stop();
  });

  test('the bot’s account is locked, or deactivated', async () => {
    await asAdmin('PUT', `/_synapse/admin/v2/users/${mintwarden.botUserId}`, { locked: true });
    await run(await broken('bot-account', /is locked/));
    await mended('bot-account');
    await mended('bot-token');
    await asAdmin('POST', `/_synapse/admin/v1/deactivate/${mintwarden.botUserId}`, { erase: false });
    await run(await broken('bot-account', /is deactivated/));
    await mended('bot-account');
    await mended('bot-token');
  });
});
