import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { grantIn, mint, takeDelivery, textOf } from '../harness/control-room.ts';
import type { TimelineEvent } from '../harness/encrypted-client.ts';
import { request } from '../harness/holder.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { runMintwarden } from '../harness/mintwarden.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';

let stage: Stage;
let token = '';
let pid: number | undefined;

const PATIENT = { timeout: 40_000, interval: 250 };
const room = (): string => encodeURIComponent(stage.mintwarden.controlRoomId);
const as = (
  accessToken: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> =>
  matrixRequest(stage.synapse.baseUrl, method, path, {
    token: accessToken,
    ...(body === undefined ? {} : { body }),
  });
const admin = (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> =>
  as(stage.synapse.adminToken, method, `/_synapse/admin${path}`, body);
const log = (): string => readFileSync(stage.mintwarden.logPath, 'utf8');
/** How often a line about a trouble stands in the log. */
const said = (event: 'trouble' | 'trouble over', kind: string): number =>
  log()
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`) && line.includes(`"kind":"${kind}"`)).length;
const reads = async (): Promise<number> =>
  (await request(stage, token, 'GET', `/rooms/${encodeURIComponent(stage.ops)}/messages?dir=b&limit=1`))
    .status;

async function secret(of: 'bot' | 'issuer'): Promise<{ file: string; value: string; userId: string }> {
  const config = parseDocument(await readFile(stage.mintwarden.configPath, 'utf8'));
  const file = join(stage.mintwarden.dir, String(config.getIn([of, 'access_token_file'])));
  return {
    file,
    value: (await readFile(file, 'utf8')).trim(),
    userId: String(config.getIn([of, 'user_id'])),
  };
}

async function init(...more: readonly string[]): Promise<void> {
  const { mintwarden, synapse, users } = stage;
  const tokenFile = join(mintwarden.dir, 'admin-token');
  await writeFile(tokenFile, synapse.adminToken, { mode: 0o600 });
  const args = [
    '--homeserver',
    synapse.baseUrl,
    '--public-url',
    mintwarden.gatewayUrl,
    '--listen',
    new URL(mintwarden.gatewayUrl).host,
  ];
  const who = [
    '--admins',
    `${users.olivia.userId},${users.you.userId}`,
    '--admin-token-file',
    tokenFile,
    '--dir',
    mintwarden.dir,
  ];
  expect(await runMintwarden(['init', ...args, ...who, ...more])).toMatchObject({ status: 0 });
  await rm(tokenFile);
}

/** What the bot told olivia, in the control room or her DM. */
const told = (pattern: RegExp, where?: string): Promise<TimelineEvent> =>
  stage.olivia.waitForMessage(
    (m) =>
      m.sender === stage.mintwarden.botUserId &&
      (where === undefined || m.roomId === where) &&
      pattern.test(textOf(m)),
    { timeoutMs: 60_000, what: `to be told ${String(pattern)}` },
  );

/** A command whose answer may be lost with the trouble it was given in: typed again until one comes. */
async function insist(line: string): Promise<string> {
  for (let tries = 0; tries < 4; tries++) {
    const eventId = await stage.olivia.say(stage.mintwarden.controlRoomId, line);
    const reply = await stage.olivia.waitForReply(eventId, { timeoutMs: 12_000 }).catch(() => null);
    if (reply !== null && !/could not decrypt/.test(textOf(reply))) return textOf(reply);
  }
  throw new Error(`Nobody answered ${line}`);
}

const mintLine = (): string => `!mint @alice --rooms ${stage.ops} --ttl 1h`;

beforeAll(async () => {
  stage = await setTheStage();
  const id = await mint(stage, mintLine());
  ({ token } = await takeDelivery(stage, stage.olivia, id));
  ({ pid } = stage.mintwarden);
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe('the bot is logged out while it runs', () => {
  test('the gateway serves, a grant expires everywhere, one line says it; init fixes it without a restart', async () => {
    const brief = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 8s`);
    const { token: short } = await takeDelivery(stage, stage.olivia, brief);
    const alive = livePuppetTokens(stage.synapse).length;
    const { value } = await secret('bot');
    await as(value, 'POST', '/_matrix/client/v3/logout', {});
    await expect.poll(() => said('trouble', 'bot-logged-out'), PATIENT).toBe(1);
    expect(await reads()).toBe(200);
    await expect
      .poll(async () => (await request(stage, short, 'GET', '/joined_rooms')).status, PATIENT)
      .toBe(401);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, PATIENT).toBe(alive - 1);

    await init();
    await expect.poll(() => said('trouble over', 'bot-logged-out'), PATIENT).toBe(1);
    await told(/^Mended.*logged out/);
    expect(await insist('!status')).toMatch(/Nothing needs looking at/);
    await told(new RegExp(`${brief}.*expired`, 's'));
    expect(said('trouble', 'bot-logged-out')).toBe(1);
    expect(stage.mintwarden.pid).toBe(pid);
  });

  test('started while logged out: the gateway serves all the same', async () => {
    const { value } = await secret('bot');
    await stage.mintwarden.stop();
    await as(value, 'POST', '/_matrix/client/v3/logout', {});
    await stage.mintwarden.start();
    ({ pid } = stage.mintwarden);
    expect(await reads()).toBe(200);
    await init();
    await expect.poll(() => said('trouble over', 'bot-logged-out'), PATIENT).toBe(2);
    expect(await insist('!status')).toMatch(/Nothing needs looking at/);
  });
});

describe('the issuer account', () => {
  test('logged out: mints are refused with what to do, revocations go through, a new token in the file fixes it', async () => {
    const doomed = await mint(stage, mintLine());
    const alive = livePuppetTokens(stage.synapse).length;
    const { file, value, userId } = await secret('issuer');
    await as(value, 'POST', '/_matrix/client/v3/logout', {});
    expect(await insist(mintLine())).toMatch(
      /does not know the issuer account’s access token.*mintwarden init/s,
    );
    await told(/does not know the issuer account/, stage.mintwarden.controlRoomId);
    expect(await insist('!status')).toMatch(/issuer account’s access token/);
    expect(await insist(`!revoke ${doomed}`)).toContain(doomed);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, PATIENT).toBe(alive - 1);
    expect(await reads()).toBe(200);

    const password = (await readFile(file.replace(/\.token$/, '.password'), 'utf8')).trim();
    const login = await as('', 'POST', '/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password,
    });
    await writeFile(file, `${String(login['access_token'])}\n`, { mode: 0o600 });
    await expect.poll(() => said('trouble over', 'issuer-logged-out'), PATIENT).toBe(1);
    expect(await insist(mintLine())).toMatch(/\blive\b/);
    await told(/^Mended.*issuer account/, stage.mintwarden.controlRoomId);
  });

  test('its right taken: refused, and well again when it is given back', async () => {
    const { userId } = await secret('issuer');
    await admin('PUT', `/v1/users/${encodeURIComponent(userId)}/admin`, { admin: false });
    expect(await insist(mintLine())).toMatch(/server administrator any more/);
    await admin('PUT', `/v1/users/${encodeURIComponent(userId)}/admin`, { admin: true });
    await expect.poll(() => said('trouble over', 'issuer-not-admin'), PATIENT).toBe(1);
    expect(await insist(mintLine())).toMatch(/\blive\b/);
  });

  test('every session of it ended: the tokens it made are dead with it, holders get 503 and are served again by themselves', async () => {
    const { file, value, userId } = await secret('issuer');
    await as(value, 'POST', '/_matrix/client/v3/logout/all', {});
    const answers = new Set<number>();
    for (let tries = 0; tries < 5; tries++) answers.add(await reads());
    expect([...answers]).toEqual([503]);
    await expect.poll(() => said('trouble', 'issuer-logged-out'), PATIENT).toBe(2);
    const password = (await readFile(file.replace(/\.token$/, '.password'), 'utf8')).trim();
    const login = await as('', 'POST', '/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password,
    });
    await writeFile(file, `${String(login['access_token'])}\n`, { mode: 0o600 });
    await expect.poll(reads, PATIENT).toBe(200);
  });
});

describe('the control room', () => {
  const isWell = async (): Promise<void> => {
    await expect
      .poll(
        () => said('trouble', 'control-room-exposed') - said('trouble over', 'control-room-exposed'),
        PATIENT,
      )
      .toBe(0);
    expect(await insist(mintLine())).toMatch(/\blive\b/);
  };
  const state = (type: string, content: unknown): Promise<unknown> =>
    as(stage.users.olivia.accessToken, 'PUT', `/_matrix/client/v3/rooms/${room()}/state/${type}/`, content);

  test('the bot is out of it: administrators hear of it in their DMs; invited again it joins and takes commands', async () => {
    // Nobody can put a creator out of a room of version 12; anyone with the bot's token can make it leave.
    await as((await secret('bot')).value, 'POST', `/_matrix/client/v3/rooms/${room()}/leave`, {});
    const dm = await told(/not in the control room/);
    expect(dm.roomId).not.toBe(stage.mintwarden.controlRoomId);
    expect(await reads()).toBe(200);
    await as(stage.users.olivia.accessToken, 'POST', `/_matrix/client/v3/rooms/${room()}/invite`, {
      user_id: stage.mintwarden.botUserId,
    });
    await expect.poll(() => said('trouble over', 'control-room-lost'), PATIENT).toBe(1);
    await stage.olivia.waitForMember(stage.mintwarden.controlRoomId, stage.mintwarden.botUserId);
    expect(await insist(mintLine())).toMatch(/\blive\b/);
  });

  test('made public: only what takes power away is taken, until it is private again', async () => {
    const id = grantIn(await insist(mintLine()));
    await state('m.room.join_rules', { join_rule: 'public' });
    expect(await insist(mintLine())).toMatch(/without an invitation/);
    expect(await insist(`!revoke ${id}`)).toContain(id);
    const dm = await stage.olivia.waitForMessage(
      (m) => m.roomId !== stage.mintwarden.controlRoomId && /without an invitation/.test(textOf(m)),
      { timeoutMs: 30_000 },
    );
    expect(dm.wasEncrypted).toBe(true);
    await state('m.room.join_rules', { join_rule: 'invite' });
    await isWell();
  });

  test('its history opened to the world: the same', async () => {
    await state('m.room.history_visibility', { history_visibility: 'world_readable' });
    expect(await insist(mintLine())).toMatch(/read the control room without joining/);
    await state('m.room.history_visibility', { history_visibility: 'invited' });
    await isWell();
  });

  test('its encryption replaced by nonsense: nothing is minted and nothing goes out in the clear; fixed, all goes on', async () => {
    const before = livePuppetTokens(stage.synapse).length;
    await state('m.room.encryption', { algorithm: 'org.example.none' });
    await expect.poll(() => log().includes('The control room is not encrypted.'), PATIENT).toBe(true);
    await stage.olivia.say(stage.mintwarden.controlRoomId, mintLine());
    const dm = await told(/control room is not encrypted/);
    expect(dm.roomId).not.toBe(stage.mintwarden.controlRoomId);
    expect(dm.wasEncrypted).toBe(true);
    expect(livePuppetTokens(stage.synapse)).toHaveLength(before);
    await state('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    await isWell();
    expect(
      stage.olivia
        .timeline(stage.mintwarden.controlRoomId)
        .filter(
          (m) => m.sender === stage.mintwarden.botUserId && m.type === 'm.room.message' && !m.wasEncrypted,
        ),
    ).toEqual([]);
  });

  test('upgraded: what to do is told, and the new room counts for nothing yet, not even as a room in a scope', async () => {
    const { replacement_room: next } = await as(
      stage.users.olivia.accessToken,
      'POST',
      `/_matrix/client/v3/rooms/${room()}/upgrade`,
      { new_version: '11' },
    );
    await told(/was upgraded to another room/);
    const heard = await stage.olivia.say(String(next), '!status').catch(() => null);
    if (heard !== null)
      await expect(stage.olivia.waitForReply(heard, { timeoutMs: 3_000 })).rejects.toThrow(/in vain/);
    expect(await reads()).toBe(200);
    await expect.poll(() => log().includes('"kind":"control-room-replaced"'), PATIENT).toBe(true);
  });

  test('deleted by a server administrator: the service stays up and says so, and init makes another one', async () => {
    await admin('DELETE', `/v1/rooms/${room()}`, { purge: true, block: false });
    await expect.poll(() => said('trouble', 'control-room-lost'), PATIENT).toBe(2);
    expect(await reads()).toBe(200);
    expect(stage.mintwarden.pid).toBe(pid);

    await init('--force');
    const next = String(
      parseDocument(await readFile(stage.mintwarden.configPath, 'utf8')).get('control_room'),
    );
    expect(next).not.toBe(stage.mintwarden.controlRoomId);
    await stage.mintwarden.stop();
    await stage.mintwarden.start();
    await stage.olivia.waitForInvite((invite) => invite.roomId === next);
    await stage.olivia.join(next);
    await stage.olivia.waitForMember(next, stage.mintwarden.botUserId);
    const asked = await stage.olivia.say(next, '!list');
    expect(textOf(await stage.olivia.waitForReply(asked))).toMatch(/@alice/);
    expect(await reads()).toBe(200);
  });
});

/** Fills a folder's file system to its last byte. */
async function fill(folder: string): Promise<void> {
  await new Promise((resolve) => {
    spawn(
      'sh',
      [
        '-c',
        'dd if=/dev/zero of=filler bs=64k 2>/dev/null; dd if=/dev/zero bs=1 count=65536 >> filler 2>/dev/null; true',
      ],
      { cwd: folder },
    ).on('exit', resolve);
  });
}

const sh = (line: string): Promise<number> =>
  new Promise((resolve) =>
    spawn('sh', ['-c', line], { stdio: 'ignore' }).on('exit', (code) => resolve(code ?? 1)),
  );
const mayMount =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  (await sh('d=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs $d && umount $d && rmdir $d')) === 0;

describe.skipIf(!mayMount)('the disk of the state folder is full (needs the right to mount)', () => {
  let full: Stage;
  let folder = '';

  beforeAll(async () => {
    folder = join((await import('node:os')).tmpdir(), `mintwarden-full-${String(process.pid)}`);
    expect(await sh(`mkdir -p ${folder} && mount -t tmpfs -o size=32m,mode=0700 tmpfs ${folder}`)).toBe(0);
    full = await setTheStage({ config: { state_dir: join(folder, 'state') } });
  });
  afterAll(async () => {
    await full[Symbol.asyncDispose]();
    await sh(`umount ${folder}; rmdir ${folder}`);
  });

  const saidBy = (text: string): boolean => readFileSync(full.mintwarden.logPath, 'utf8').includes(text);
  const status = async (scoped: string): Promise<number> =>
    (await request(full, scoped, 'GET', `/rooms/${encodeURIComponent(full.ops)}/messages?dir=b&limit=1`))
      .status;
  const say = async (line: string): Promise<string> => {
    for (let tries = 0; tries < 5; tries++) {
      const eventId = await full.olivia.say(full.mintwarden.controlRoomId, line);
      const reply = await full.olivia.waitForReply(eventId, { timeoutMs: 10_000 }).catch(() => null);
      if (reply !== null && !/could not decrypt/.test(textOf(reply))) return textOf(reply);
    }
    throw new Error(`Nobody answered ${line}`);
  };

  test('nothing is minted, readers are served, a revocation counts, and all goes on when there is room', async () => {
    const [one, two, three] = [
      await mint(full, `!mint @alice --rooms ${full.ops}`),
      await mint(full, `!mint @alice --rooms ${full.ops}`),
      await mint(full, `!mint @alice --rooms ${full.ops}`),
    ];
    const tokens = {
      one: (await takeDelivery(full, full.olivia, one)).token,
      two: (await takeDelivery(full, full.olivia, two)).token,
      three: (await takeDelivery(full, full.olivia, three)).token,
    };
    const before = full.mintwarden.pid;
    const minted = livePuppetTokens(full.synapse).length;
    await fill(folder);
    // The reserve is given up for it: what takes power away is still written.
    expect(await say(`!revoke ${one}`)).toContain(one);
    expect(await status(tokens.one)).toBe(401);
    expect(await say(`!mint @alice --rooms ${full.ops}`)).toMatch(/Nothing is minted/);
    expect(await status(tokens.two)).toBe(200);
    await expect.poll(() => livePuppetTokens(full.synapse).length, PATIENT).toBe(minted - 1);

    // Even that is taken: the token is refused though its end cannot be written.
    await fill(folder);
    await full.olivia.say(full.mintwarden.controlRoomId, `!revoke ${two}`);
    await expect.poll(() => status(tokens.two), PATIENT).toBe(401);
    expect(await status(tokens.three)).toBe(200);
    expect(full.mintwarden.pid).toBe(before);

    await rm(join(folder, 'filler'));
    await expect
      .poll(() => saidBy('"event":"trouble over","kind":"disk"') || saidBy('"kind":"disk","ms"'), PATIENT)
      .toBe(true);
    await expect.poll(() => livePuppetTokens(full.synapse).length, PATIENT).toBe(minted - 2);
    expect(await status(tokens.two)).toBe(401);
    expect(await say(`!show ${two}`)).toMatch(/revoked/i);
    expect(await say(`!mint @alice --rooms ${full.ops}`)).toMatch(/\blive\b/);
    await full.mintwarden.stop();
    expect(await full.mintwarden.command('audit', 'verify')).toMatchObject({ status: 0 });
    await full.mintwarden.start();
    expect(await status(tokens.two)).toBe(401);
    expect(await status(tokens.three)).toBe(200);
  });
});
