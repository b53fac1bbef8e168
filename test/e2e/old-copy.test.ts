import { copyFile, cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, isClean, mint, takeDelivery, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setTheStage();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const state = (): string => join(stage.mintwarden.dir, 'state');
const logged = (): Promise<string> => readFile(stage.mintwarden.logPath, 'utf8');

/** The anchors in the control room, as a member of it sees them, oldest first. */
async function anchors(): Promise<{ seq: number; generation: number }[]> {
  const filter = encodeURIComponent(JSON.stringify({ types: ['org.mintwarden.anchor'] }));
  const { accessToken } = await login();
  const address = `${stage.synapse.baseUrl}/_matrix/client/v3/rooms/${encodeURIComponent(stage.mintwarden.controlRoomId)}/messages?dir=b&limit=100&filter=${filter}`;
  const answer = await fetch(address, { headers: { authorization: `Bearer ${accessToken}` } });
  const { chunk } = (await answer.json()) as { chunk: { content: { seq: number; generation: number } }[] };
  return chunk.map(({ content }) => content).toReversed();
}

let session: { accessToken: string } | undefined;
async function login(): Promise<{ accessToken: string }> {
  if (session !== undefined) return session;
  const { userId: user, password } = stage.users.olivia;
  const body = JSON.stringify({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password,
  });
  const answer = await fetch(`${stage.synapse.baseUrl}/_matrix/client/v3/login`, { method: 'POST', body });
  session = { accessToken: ((await answer.json()) as { access_token: string }).access_token };
  return session;
}

/** What olivia was told in the control room, or is told now. */
async function toldInRoom(words: RegExp): Promise<string> {
  const { controlRoomId } = stage.mintwarden;
  const isIt = (m: Parameters<typeof textOf>[0]): boolean =>
    m.sender === stage.mintwarden.botUserId && words.test(textOf(m));
  const before = stage.olivia.timeline(controlRoomId).find(isIt);
  return textOf(
    before ?? (await stage.olivia.waitForMessage(isIt, { timeoutMs: 30_000, what: String(words) })),
  );
}

test('an old copy of the state revives nothing: it is held, shown, and gone on from at an operator’s word', async () => {
  const { mintwarden } = stage;
  const revoked = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const { token } = await takeDelivery(stage, stage.olivia, revoked);
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(200);

  await mintwarden.stop();
  await cp(state(), join(mintwarden.dir, 'old-copy'), { recursive: true });
  const kept = (await anchors()).at(-1)?.seq ?? 0;
  expect(kept).toBeGreaterThan(0);
  await mintwarden.start();
  await command(stage, `!revoke ${revoked}`);
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(401);
  // Within seconds of the revocation, without anybody stopping it.
  await expect
    .poll(async () => (await anchors()).at(-1)?.seq ?? 0, { timeout: 10_000 })
    .toBeGreaterThan(kept);
  await mintwarden.kill();

  await rm(state(), { recursive: true });
  await cp(join(mintwarden.dir, 'old-copy'), state(), { recursive: true });
  const ready = await mintwarden.start();
  expect(ready).toBeLessThan(30_000);
  // The grant reads as live in it: nothing but the refusal of everything keeps it dead.
  const answer = await request(stage, token, 'GET', '/joined_rooms');
  expect(answer.status).toBe(503);
  expect(await toldInRoom(/My state is an old copy/)).toMatch(/mintwarden recover/);
  const status = await command(stage, '!status');
  expect(textOf(status)).toMatch(/old copy[^]*1 live grant/);
  expect(isClean(status)).toBe(true);
  expect(textOf(await command(stage, `!mint @alice --rooms ${stage.ops}`))).toMatch(/old copy/);
  const posted = (await anchors()).length;

  // Again: no further session, no further message, no anchor of its own.
  await mintwarden.stop();
  await mintwarden.start();
  expect((await logged()).match(/the bot was logged in again/g)).toHaveLength(1);
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(503);
  expect((await anchors()).length).toBe(posted);

  const shown = await mintwarden.command('recover');
  expect(shown.output).toMatch(new RegExp(`old copy[^]*${revoked}[^]*recover --confirm`));
  expect((await mintwarden.command('recover', '--confirm')).output).toMatch(/in use|stop/i);
  await mintwarden.stop();
  expect(await mintwarden.command('recover', '--confirm')).toMatchObject({
    status: 0,
    output: expect.stringMatching(/1 grant has ended/) as string,
  });
  expect(await mintwarden.command('recover', '--confirm')).toMatchObject({ status: 1 });

  await mintwarden.start();
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(401);
  expect(await toldInRoom(/confirmed that I go on from an old copy/)).toMatch(/1 grant/);
  await expect.poll(async () => (await anchors()).at(-1)?.generation, { timeout: 10_000 }).toBe(2);
  const next = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const again = await takeDelivery(stage, stage.olivia, next);
  expect((await request(stage, again.token, 'GET', '/joined_rooms')).status).toBe(200);
  await command(stage, `!revoke ${next}`);
  await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 20_000 }).toBe(0);
});

test('a homeserver restored from a backup: what was logged out since is logged out again', async () => {
  const { mintwarden, synapse } = stage;
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const { token } = await takeDelivery(stage, stage.olivia, id);
  const upstream = livePuppetTokens(synapse);
  expect(upstream).toHaveLength(1);
  const backup = `${synapse.databasePath}.backup`;
  await synapse.stop();
  await copyFile(synapse.databasePath, backup);
  await synapse.start();

  const posted = (await anchors()).length;
  await command(stage, `!revoke ${id}`);
  await expect.poll(() => livePuppetTokens(synapse).length, { timeout: 30_000 }).toBe(0);
  await expect.poll(async () => (await anchors()).length, { timeout: 30_000 }).toBeGreaterThan(posted);

  await synapse.stop();
  for (const side of ['-wal', '-shm']) await rm(synapse.databasePath + side, { force: true });
  await copyFile(backup, synapse.databasePath);
  expect(livePuppetTokens(synapse)).toEqual(upstream);
  await synapse.start();
  await expect.poll(() => livePuppetTokens(synapse).length, { timeout: 60_000 }).toBe(0);
  await expect.poll(logged, { timeout: 10_000 }).toMatch(/forgotten an anchor/);
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(401);

  // And the bot is heard again, with its own session and keys.
  // Olivia's client stands at a place that is yet to come for this homeserver: what is said before it notices
  // passes it by.
  const heard = async (): Promise<boolean> => {
    const said = await stage.olivia.say(mintwarden.controlRoomId, '!status');
    return stage.olivia.waitForReply(said, { timeoutMs: 8_000 }).then(
      () => true,
      () => false,
    );
  };
  await expect.poll(heard, { timeout: 60_000 }).toBe(true);
  const sessions = (await logged()).match(/the bot was logged in again/g)?.length;
  expect(textOf(await command(stage, '!status'))).toMatch(/0 live grants/);
  await mintwarden.stop();
  await mintwarden.start();
  expect((await logged()).match(/the bot was logged in again/g)?.length).toBe(sessions);
  expect(textOf(await command(stage, '!status'))).toMatch(/0 live grants/);
});
