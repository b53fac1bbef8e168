import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { command, mint, takeDelivery } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { setTheStage } from '../harness/stage.ts';

test('an old copy counts no more where the bot cannot look into the control room: out of it, or its token dead', async () => {
  await using stage = await setTheStage();
  const { mintwarden, synapse } = stage;
  const state = join(mintwarden.dir, 'state');
  const backup = join(mintwarden.dir, 'old-copy');
  const logged = (): Promise<string> => readFile(mintwarden.logPath, 'utf8');
  const asBot = async (where: string): Promise<number> => {
    const config = parseDocument(await readFile(mintwarden.configPath, 'utf8'));
    const token = (
      await readFile(join(mintwarden.dir, String(config.getIn(['bot', 'access_token_file']))), 'utf8')
    ).trim();
    const headers = { authorization: `Bearer ${token}` };
    return (
      await fetch(`${synapse.baseUrl}/_matrix/client/v3${where}`, { method: 'POST', headers, body: '{}' })
    ).status;
  };

  const revoked = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const { token } = await takeDelivery(stage, stage.olivia, revoked);
  const asked = async (): Promise<number> => (await request(stage, token, 'GET', '/joined_rooms')).status;
  expect(await asked()).toBe(200);
  await mintwarden.stop();
  await cp(state, backup, { recursive: true });
  await mintwarden.start();
  await command(stage, `!revoke ${revoked}`);
  expect(await asked()).toBe(401);

  const bringBack = async (): Promise<void> => {
    await rm(state, { recursive: true });
    await cp(backup, state, { recursive: true });
    await mintwarden.start();
  };
  // A backup often holds a token of the bot that was replaced since.
  await mintwarden.stop();
  expect(await asBot('/logout')).toBe(200);
  await bringBack();
  expect(await asked()).toBe(503);
  expect(await logged()).toMatch(/the state is an old copy/);

  // Somebody who may remove the bot from the room does so before the service starts on the old copy.
  await mintwarden.stop();
  expect(await asBot(`/rooms/${encodeURIComponent(mintwarden.controlRoomId)}/leave`)).toBe(200);
  const before = (await logged()).match(/the state is an old copy/g)?.length ?? 0;
  await bringBack();
  expect(await asked()).toBe(503);
  expect((await logged()).match(/the state is an old copy/g)?.length).toBe(before + 1);
});

test('an administrator of the control room who removes the anchors from it brings nothing back', async () => {
  await using stage = await setTheStage();
  const { mintwarden, synapse } = stage;
  const state = join(mintwarden.dir, 'state');
  const backup = join(mintwarden.dir, 'old-copy');
  const revoked = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const { token } = await takeDelivery(stage, stage.olivia, revoked);
  await mintwarden.stop();
  await cp(state, backup, { recursive: true });
  await mintwarden.start();
  await command(stage, `!revoke ${revoked}`);
  await mintwarden.stop();

  const { userId: user, password } = stage.users.olivia;
  const login = JSON.stringify({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password,
  });
  const asOlivia = async (method: string, where: string, body?: string): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${session}` };
    const answer = await fetch(`${synapse.baseUrl}/_matrix/client/v3${where}`, {
      method,
      headers,
      body: body ?? null,
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Record<string, unknown>;
  };
  let session = '';
  session = String((await asOlivia('POST', '/login', login))['access_token']);
  const room = `/rooms/${encodeURIComponent(mintwarden.controlRoomId)}`;
  const filter = encodeURIComponent(JSON.stringify({ types: ['org.mintwarden.anchor'] }));
  const { chunk } = await asOlivia('GET', `${room}/messages?dir=b&limit=100&filter=${filter}`);
  const anchors = chunk as { event_id: string }[];
  expect(anchors.length).toBeGreaterThan(1);
  for (const [at, { event_id: id }] of anchors.entries())
    await asOlivia('PUT', `${room}/redact/${encodeURIComponent(id)}/r${at}`, '{}');

  await rm(state, { recursive: true });
  await cp(backup, state, { recursive: true });
  await mintwarden.start();
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(503);
  expect((await mintwarden.command('recover')).output).toMatch(/somebody has removed what they said/);
});
