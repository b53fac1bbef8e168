import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { command, mint, takeNotice, textOf } from '../harness/control-room.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setTheStage();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function write(path: readonly string[], value: unknown): Promise<void> {
  const config = parseDocument(await readFile(stage.mintwarden.configPath, 'utf8'));
  config.setIn(path, value);
  await writeFile(stage.mintwarden.configPath, config.toString());
}

const hangUp = (): boolean => process.kill(stage.mintwarden.pid ?? 0, 'SIGHUP');
const logged = (): Promise<string> => readFile(stage.mintwarden.logPath, 'utf8');

test('SIGHUP takes policy over, whole or not at all, and the control room is told', async () => {
  await write(['policy'], { max_ttl: '1m', default_ttl: '1h' });
  hangUp();
  await expect.poll(logged, { timeout: 10_000 }).toMatch(/default_ttl is longer.*policy not changed/s);
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 2h`);
  await takeNotice(stage, stage.alice, id);

  await write(['policy'], { max_ttl: '10m', default_ttl: '5m' });
  hangUp();
  const told = await stage.olivia.waitForMessage(
    (event) => textOf(event).includes('The policy was changed'),
    { timeoutMs: 20_000 },
  );
  expect(textOf(told)).toMatch(/policy\.max_ttl.*1w.*10m/s);
  expect(textOf(await command(stage, `!mint @alice --rooms ${stage.ops} --ttl 2h`))).toMatch(
    /10m|10 minutes|10 min/,
  );
  // What was granted stays.
  expect(textOf(await command(stage, `!show ${id}`))).toMatch(/1 h|2 h|59 min/);
});
