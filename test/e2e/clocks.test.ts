import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { command, mint, takeDelivery, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import type { Fault } from '../harness/proxy.ts';
import { setTheStage } from '../harness/stage.ts';

const HOUR = 3_600_000;

/** The homeserver's clock, as it is told, is wrong by so much. */
function wrongBy(ms: number): Fault {
  return {
    after: ({ response }, answer) => {
      response.writeHead(answer.status, { ...answer.headers, date: new Date(Date.now() + ms).toUTCString() });
      response.end(answer.body);
    },
  };
}

test('two clocks that disagree: no token is honoured and none is lost until they agree again', async () => {
  await using stage = await setTheStage({ proxied: true });
  const { mintwarden, proxy } = stage;
  const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 30m`);
  const { token } = await takeDelivery(stage, stage.olivia, id);
  const asked = async (): Promise<number> => (await request(stage, token, 'GET', '/joined_rooms')).status;
  expect(await asked()).toBe(200);

  await mintwarden.stop();
  const wrong = proxy.on({ path: '/_matrix/client/versions' }, wrongBy(HOUR));
  await mintwarden.start();
  // By the homeserver's clock it would be over: it is not honoured, but not ended either.
  expect(await asked()).toBe(503);
  expect(textOf(await command(stage, '!status'))).toMatch(/behind the homeserver’s[^]*1 live grant/);
  const told = await stage.olivia.waitForMessage(
    (m) => /behind the homeserver’s/.test(textOf(m)) && m.content['msgtype'] === 'm.text',
    {
      timeoutMs: 30_000,
      what: 'the word about the clocks',
    },
  );
  expect(textOf(told)).toMatch(/Set the one that is wrong/);
  expect(textOf(await command(stage, `!mint @alice --rooms ${stage.ops}`))).toMatch(
    /I honour no token until that is settled/,
  );

  wrong.remove();
  await expect.poll(asked, { timeout: 20_000 }).toBe(200);
  await expect
    .poll(async () => (await readFile(mintwarden.logPath, 'utf8')).includes('can be relied on again'), {
      timeout: 10_000,
    })
    .toBe(true);
});
