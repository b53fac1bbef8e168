import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, mint, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setTheStage();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const trust = (...words: readonly string[]): Promise<{ status: number; output: string }> =>
  stage.mintwarden.command('trust', stage.users.olivia.userId, ...words);

test('an administrator who reset their identity is refused until an operator confirms it, and no other', async () => {
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops}`);
  await takeDelivery(stage, stage.olivia, id);
  await stage.olivia.resetCrossSigning();
  await expect
    .poll(async () => textOf(await command(stage, '!list')), { timeout: 20_000 })
    .toMatch(/not the one I first saw.*mintwarden trust @olivia/s);

  const shown = await trust();
  expect(shown).toMatchObject({ status: 0, output: expect.stringContaining(stage.olivia.deviceId) });
  const key = /--key (\S+)/.exec(shown.output)?.[1] ?? '';
  expect(key).toMatch(/^[A-Za-z0-9+/]{43}$/);
  expect(await trust('--key', key)).toMatchObject({
    status: 1,
    output: expect.stringContaining('in use by another process'),
  });

  await stage.mintwarden.stop();
  expect(await trust('--key', 'A'.repeat(43))).toMatchObject({
    status: 1,
    output: expect.stringContaining('shows another identity'),
  });
  expect(await trust('--key', key)).toMatchObject({ status: 0 });
  expect((await trust()).output).toContain('nothing to do');
  await stage.mintwarden.start();
  await stage.olivia.waitForMessage(
    (m) => textOf(m).includes('was confirmed by the operator') && textOf(m).includes(key),
    {
      what: 'the news to the control room',
    },
  );
  const again = await mint(stage, `!mint @alice --rooms ${stage.ops}`);
  await takeDelivery(stage, stage.olivia, again);
  expect(await stage.mintwarden.command('audit', 'verify')).toMatchObject({ status: 0 });

  await stage.olivia.resetCrossSigning();
  await expect
    .poll(async () => textOf(await command(stage, '!list')), { timeout: 20_000 })
    .toMatch(/not the one I first saw/);
  await stage.mintwarden.stop();
  const second = /--key (\S+)/.exec((await trust()).output)?.[1] ?? '';
  expect(await trust('--key', second)).toMatchObject({ status: 0 });
  await stage.mintwarden.start();
});

test('a recipient whose identity was replaced is refused, though no token ever went to them', async () => {
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops}`);
  await takeNotice(stage, stage.alice, id);
  await stage.alice.resetCrossSigning();
  const answer = textOf(await command(stage, `!mint @alice --rooms ${stage.ops} --to @alice`));
  expect(answer).toMatch(/another cryptographic identity than the one first seen/);
});

test('nobody else on the machine can read the state', async () => {
  const open: string[] = [];
  for (const entry of await readdir(stage.mintwarden.dir, { recursive: true })) {
    if (((await stat(join(stage.mintwarden.dir, entry))).mode & 0o077) !== 0) open.push(entry);
  }
  expect(open).toEqual([]);
});
