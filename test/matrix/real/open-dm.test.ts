import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startProxy, cut } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { newBot } from './bot.ts';

async function roomCount(baseUrl: string, token: string): Promise<number> {
  const { joined_rooms } = await matrixRequest<{ joined_rooms: string[] }>(
    baseUrl,
    'GET',
    '/_matrix/client/v3/joined_rooms',
    { token },
  );
  return joined_rooms.length;
}

test('one DM for one person, however often and however badly it is asked for', async () => {
  const synapse = sharedSynapse();
  await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start({ homeserverUrl: proxy.baseUrl });
  const rooms = () => roomCount(synapse.baseUrl, bot.options.accessToken);
  const before = await rooms();
  const open = () => chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });

  proxy.on({ method: 'POST', path: '/createRoom' }, cut('after'), { times: 1 }); // made, and we never hear of it
  await expect(open()).rejects.toMatchObject({ code: 'homeserver-unreachable' });
  const all = await Promise.all([open(), open(), open()]);
  expect(new Set(all.map(({ roomId }) => roomId)).size).toBe(1);
  expect(await rooms()).toBe(before + 1);

  const dm = all[0];
  await alice.join(dm?.roomId ?? '');
  await alice.leave(dm?.roomId ?? '');
  expect(await chat.dm(alice.userId as UserId)).toMatchObject({ membership: 'leave', justTheTwo: false });
  expect(await open()).toMatchObject({ roomId: dm?.roomId, membership: 'invite', justTheTwo: true });
  await alice.join(dm?.roomId ?? '');
  expect(await open()).toMatchObject({ roomId: dm?.roomId, membership: 'join', justTheTwo: true });
  expect(await rooms()).toBe(before + 1);
});

test('a DM the bot was put out of, or that was purged, is replaced', async () => {
  const synapse = sharedSynapse();
  const alice = await synapse.uniqueUser('alice');
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const open = () => chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });
  const { roomId } = await open();
  await matrixRequest(synapse.baseUrl, 'DELETE', `/_synapse/admin/v1/rooms/${encodeURIComponent(roomId)}`, {
    token: synapse.adminToken,
    body: { purge: true },
  });
  expect(await chat.dm(alice.userId as UserId)).toBeNull();
  const next = await open();
  expect(next.roomId).not.toBe(roomId);
  expect(next).toMatchObject({ encrypted: true, membership: 'invite', justTheTwo: true });
});

test('nobody can be told who does not exist, and a homeserver that is down is not a refusal', async () => {
  const synapse = sharedSynapse();
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start({ homeserverUrl: proxy.baseUrl });
  const ghost = `@nobody-at-all:${bot.user.userId.split(':')[1] ?? ''}` as UserId;
  expect(await chat.dm(ghost)).toBeNull();
  await proxy.refuseConnections();
  await expect(chat.keys(ghost)).rejects.toMatchObject({ code: 'homeserver-unreachable' });
  await expect(chat.openDm(ghost, { reason: 'r', encrypted: true })).rejects.toMatchObject({
    code: 'homeserver-unreachable',
  });
});
