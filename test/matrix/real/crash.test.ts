import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import { loginWithPassword } from '../../../src/matrix/sessions.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { ratchetUses, reusedRatchets, roomEvents } from '../../harness/megolm.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { newBot, text, type TestBot } from './bot.ts';
import { realTime } from '../../support/wait.ts';

type Line = {
  said: 'ready' | 'sent';
  roomId: string;
  name: string;
  eventId: string;
  deviceId: string;
  rssMb: number;
};

/**
 * Runs the bot in its own process until it has sent `count` messages, then kills it at once, or a little
 * later.
 */
async function runAndKill(
  bot: TestBot,
  recipient: string,
  run: number,
  count: number,
  laterMs: number,
): Promise<Line[]> {
  const folder = join(bot.stateDir, '..');
  const file = join(folder, 'process.json');
  const { homeserverUrl, userId, accessToken, stateDir, controlRoomId, storeKey } = bot.options;
  const settings = {
    options: { homeserverUrl, userId, accessToken, stateDir, controlRoomId },
    storeKey: storeKey.toString('base64'),
    seedsFile: join(folder, 'seeds'),
    positionFile: join(folder, 'position'),
    recipient,
    run,
  };
  writeFileSync(file, JSON.stringify(settings));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bot-process.ts'), file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
  const lines: Line[] = [];
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line) as Line);
    if (lines.filter(({ said }) => said === 'sent').length >= count) {
      // At different points of its work is what is tested.
      await realTime(laterMs);
      child.kill('SIGKILL');
      break;
    }
  }
  clearTimeout(late);
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
  if (lines.length < count) throw new Error(`the bot said only ${JSON.stringify(lines)}; ${complaint}`);
  return lines;
}

test('killed while sending and started again: the same device, still signed, the same room, no key used twice', async () => {
  const synapse = sharedSynapse();
  const aliceUser = await synapse.uniqueUser('alice');
  await using alice = await startJsClient(synapse, aliceUser);
  await using bot = await newBot(synapse, [aliceUser.userId]);
  const lines: Line[] = [];
  for (let run = 0; run < 5; run++) {
    lines.push(...(await runAndKill(bot, alice.userId, run, 2, run * 13)));
    if (run === 0) await alice.join(lines.find(({ said }) => said === 'sent')?.roomId ?? '');
  }
  const ready = lines.filter(({ said }) => said === 'ready');
  expect(ready.length).toBe(5);
  expect(new Set(ready.map(({ deviceId }) => deviceId)).size).toBe(1);
  for (const { rssMb } of ready) expect(rssMb).toBeLessThan(200);
  const sent = lines.filter(({ said }) => said === 'sent');
  const rooms = new Set(sent.map(({ roomId }) => roomId));
  expect(rooms.size).toBe(1);
  for (const { eventId, name } of sent) {
    const seen = await alice.waitForMessage(
      (m) => m.eventId === eventId && m.undecryptable === null && m.shield?.colour !== 'red',
    );
    expect(seen).toMatchObject({ signedByOwner: true, shield: { colour: 'none' }, content: { body: name } });
  }
  const events = await roomEvents(synapse.baseUrl, alice.accessToken, [...rooms][0] ?? '');
  expect(ratchetUses(events).length).toBeGreaterThanOrEqual(sent.length);
  expect(reusedRatchets(ratchetUses(events))).toEqual([]);
});

test('with its store lost, a new device is signed from the seeds and nobody is warned; the old login is refused', async () => {
  const synapse = sharedSynapse();
  const aliceUser = await synapse.uniqueUser('alice');
  await using alice = await startJsClient(synapse, aliceUser);
  await using bot = await newBot(synapse, [aliceUser.userId]);
  const before = await bot.start();
  const dm = await before.chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });
  await alice.join(dm.roomId);
  const keys = await before.chat.keys(before.chat.userId);
  expect(keys).toMatchObject({ devices: 1, signedDevices: 1 });
  await before.stop();
  rmSync(bot.stateDir, { recursive: true });

  await expect(bot.start()).rejects.toMatchObject({ code: 'state', hint: expect.stringContaining('init') });
  // Nothing was made in its place: init goes by that.
  expect(existsSync(bot.stateDir)).toBe(false);

  const session = await loginWithPassword(synapse.baseUrl, bot.user.userId, bot.user.password, 'Mintwarden');
  for (const damaged of [
    '{"v":1,"master":"half',
    JSON.stringify({ v: 1, master: 'AAAA', selfSigning: 'AAAA', userSigning: 'AAAA' }),
    null,
  ]) {
    const seeds = {
      load: async () => damaged,
      save: async () => expect.unreachable('nothing may be made in their place'),
    };
    await expect(bot.start({ accessToken: session.accessToken, seeds })).rejects.toMatchObject({
      code: 'state',
    });
  }
  const after = await bot.start({ accessToken: session.accessToken });
  expect(after.deviceId).not.toBe(before.deviceId);
  expect(await after.chat.keys(after.chat.userId)).toEqual({
    devices: 2,
    signedDevices: 2,
    masterKey: keys.masterKey,
    isReplaced: false,
  });
  expect(await after.chat.dm(alice.userId as UserId)).toMatchObject({
    roomId: dm.roomId,
    membership: 'join',
  });
  const sent = await after.chat.send(dm.roomId, text('still me'), {
    transactionId: 't',
    marker: 'm',
    expect: 'encrypted',
    audience: 'cross-signed',
  });
  const seen = await alice.waitForMessage(
    (m) => m.eventId === sent && m.undecryptable === null && m.shield?.colour !== 'red',
  );
  expect(seen).toMatchObject({ signedByOwner: true, shield: { colour: 'none' } });
});

test('cross-signing keys that are not ours are never replaced', async () => {
  const synapse = sharedSynapse();
  await using bot = await newBot(synapse, []);
  await using stranger = await startJsClient(synapse, bot.user); // someone makes the account's keys first
  await expect(bot.start()).rejects.toMatchObject({ code: 'state' });
  expect(bot.saved.seeds).toBeNull();
  expect(stranger.userId).toBe(bot.user.userId);
});

test('an upload that was interrupted is taken up again, with the same keys', async () => {
  const synapse = sharedSynapse();
  await using bot = await newBot(synapse, []);
  let saved = false;
  const failing = {
    load: async () => bot.saved.seeds,
    save: async (secret: string) => {
      bot.saved.seeds = secret;
      saved = true;
      throw new Error('killed here');
    },
  };
  await expect(bot.start({ seeds: failing })).rejects.toThrow('killed here');
  expect(saved).toBe(true);
  const shown = await matrixRequest<{ master_keys: object }>(
    synapse.baseUrl,
    'POST',
    '/_matrix/client/v3/keys/query',
    {
      token: bot.options.accessToken,
      body: { device_keys: { [bot.user.userId]: [] } },
    },
  );
  expect(shown.master_keys).toEqual({}); // the seeds come before anything made from them
  const seeds = bot.saved.seeds;
  const matrix = await bot.start();
  expect(bot.saved.seeds).toBe(seeds);
  expect(await matrix.chat.keys(matrix.chat.userId)).toMatchObject({ devices: 1, signedDevices: 1 });
});

test('a second start on the same state is refused', async () => {
  const synapse = sharedSynapse();
  await using bot = await newBot(synapse, []);
  await bot.start();
  await expect(bot.start()).rejects.toMatchObject({ code: 'state' });
});
