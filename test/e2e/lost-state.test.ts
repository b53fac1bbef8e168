import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, isClean, mint, takeDelivery, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { runMintwarden } from '../harness/mintwarden.ts';
import { setTheStage } from '../harness/stage.ts';

test('the state folder is lost: start says what to do, init does it, and nobody sees another bot', async () => {
  await using stage = await setTheStage();
  const { mintwarden, synapse, users } = stage;
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops}`);
  const { token } = await takeDelivery(stage, stage.olivia, id);
  await mintwarden.stop();
  await rm(join(mintwarden.dir, 'state'), { recursive: true });
  for (const _time of ['once', 'again'])
    await expect(mintwarden.start()).rejects.toThrow(/lost or replaced[^]*mintwarden init/);

  const tokenFile = join(mintwarden.dir, 'admin-token');
  await writeFile(tokenFile, synapse.adminToken, { mode: 0o600 });
  const where = [
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
  expect(await runMintwarden(['init', ...where, ...who])).toMatchObject({
    status: 0,
    output: expect.stringContaining('again') as string,
  });

  await mintwarden.start();
  const asked = await command(stage, '!status');
  expect(textOf(asked)).toMatch(/0 live grants/);
  await expect
    .poll(
      () =>
        isClean(asked) ||
        stage.olivia.timeline(asked.roomId).some((m) => m.eventId === asked.eventId && isClean(m)),
    )
    .toBe(true);
  expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(401);
  expect(await runMintwarden(['init', ...where, ...who])).toMatchObject({
    status: 0,
    output: expect.not.stringContaining('again') as string,
  });
});
