import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import type { ToDeviceRefusals } from '../../../src/matrix/to-device-gate.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startProxy } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { until } from '../../support/wait.ts';
import { newBot, type TestBot } from './bot.ts';
import { startKeyFlooder } from './key-flooder.ts';

const nowhere = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `!nowhere-${String(index)}:test.invalid`);

/** The rows of the encryption store by kind, once the bot is stopped. */
function storedRows({ stateDir }: TestBot): Record<string, number> {
  using sql = new DatabaseSync(`${stateDir}/engine.sqlite`, { readOnly: true });
  const rows = sql.prepare('SELECT store, count(*) AS n FROM records GROUP BY store').all();
  return Object.fromEntries(rows.map(({ store, n }) => [String(store), Number(n)]));
}

function withRefusals() {
  const refused = { strangers: 0, tooMany: 0 };
  const onRefused = ({ strangers, tooMany }: ToDeviceRefusals): void => {
    refused.strangers += strangers;
    refused.tooMany += tooMany;
  };
  return { refused, onRefused };
}

test('strangers who send room keys and withheld ones leave nothing behind, and hide no command', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  await using bot = await newBot(synapse, [user.userId]);
  const { refused, onRefused } = withRefusals();
  const matrix = await bot.start({ onRefused });
  await matrix.ready;
  await admin.join(bot.controlRoomId);
  await admin.waitForMember(bot.controlRoomId, bot.user.userId);
  await admin.say(bot.controlRoomId, 'before');
  await bot.hearsMessage((m) => m.body === 'before');

  for (let index = 0; index < 3; index++) {
    const eve = await synapse.uniqueUser('eve');
    await using flooder = await startKeyFlooder(synapse.baseUrl, eve, bot.user.userId);
    await flooder.sendRoomKeys(nowhere(60));
    await flooder.sendRoomKeys(Array.from({ length: 10 }, () => bot.controlRoomId));
    await flooder.sendWithheld(60);
  }
  await admin.say(bot.controlRoomId, 'after');
  await bot.hearsMessage((m) => m.body === 'after');
  await until(() => refused.strangers >= 390, 10_000);
  expect(refused).toEqual({ strangers: 390, tooMany: 0 });
  await matrix.stop();
  const rows = storedRows(bot);
  expect(rows).not.toHaveProperty('withheld_sessions');
  expect(rows['inbound_group_sessions3']).toBeLessThanOrEqual(2);
  expect(rows['session']).toBe(1);
});

test('a member who does it leaves little behind, at the cost of nobody else', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  const mallory = await synapse.uniqueUser('mallory');
  await using bot = await newBot(synapse, [user.userId, mallory.userId]);
  const { refused, onRefused } = withRefusals();
  const matrix = await bot.start({ onRefused });
  await matrix.ready;
  await admin.join(bot.controlRoomId);
  const join = `/_matrix/client/v3/join/${encodeURIComponent(bot.controlRoomId)}`;
  await matrixRequest(synapse.baseUrl, 'POST', join, { token: mallory.accessToken, body: {} });
  await admin.waitForMember(bot.controlRoomId, mallory.userId);

  await using flooder = await startKeyFlooder(synapse.baseUrl, mallory, bot.user.userId);
  await flooder.sendRoomKeys(nowhere(50));
  await flooder.sendRoomKeys(Array.from({ length: 100 }, () => bot.controlRoomId));
  await admin.say(bot.controlRoomId, 'after');
  expect(await bot.hearsMessage((m) => m.body === 'after')).toMatchObject({
    encryption: { deviceSigned: true },
  });
  expect(refused.strangers).toBe(0);
  expect(refused.tooMany).toBeGreaterThan(0);
  await matrix.stop();
  expect(storedRows(bot)['inbound_group_sessions3']).toBeLessThanOrEqual(22);
});

test('somebody whose key comes before the news that they joined is heard, here and in their first DM', async () => {
  const synapse = sharedSynapse();
  const [first, second] = [await synapse.uniqueUser('admin'), await synapse.uniqueUser('late')];
  await using late = await startJsClient(synapse, second);
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, [first.userId, second.userId]);
  const matrix = await bot.start({ homeserverUrl: proxy.baseUrl });
  await matrix.ready;
  const dm = await matrix.chat.openDm(second.userId as UserId, { reason: 'r', encrypted: true });

  /** Keeps all news of rooms back, as a homeserver whose streams are read by different workers may. */
  const held: { rooms: unknown; keys: number } = { rooms: undefined, keys: 0 };
  let isHeldBack = true;
  proxy.on(
    { path: '/sync' },
    {
      after: ({ response }, { status, body }) => {
        const answer = JSON.parse(body.toString()) as {
          rooms?: { join?: Record<string, { timeline: { events: unknown[] } }> };
          to_device?: { events: unknown[] };
        };
        if (isHeldBack) {
          held.keys += answer.to_device?.events.length ?? 0;
          delete answer.rooms;
        }
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
    },
  );
  const said: string[] = [];
  for (const roomId of [bot.controlRoomId, dm.roomId]) {
    await late.join(roomId);
    await late.waitForMember(roomId, bot.user.userId);
    const keys = held.keys;
    said.push(await late.say(roomId, `in ${roomId}`));
    await until(() => held.keys > keys, 10_000);
  }
  isHeldBack = false;
  // What was kept back is seen as after a gap: the bot looks back from its next news.
  bot.saved.position = null;
  await matrix.stop();
  const again = await bot.start();
  await again.ready;
  for (const eventId of said)
    expect(await bot.hearsMessage((m) => m.eventId === eventId)).toMatchObject({
      encryption: { deviceSigned: true },
    });
});
