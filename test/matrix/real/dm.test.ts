import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startNioClient } from '../../harness/nio-client.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { newBot, text } from './bot.ts';

test('an encrypted DM reaches matrix-js-sdk without any warning, and bears its marker in the clear', async () => {
  const synapse = sharedSynapse();
  const aliceUser = await synapse.uniqueUser('alice');
  await using alice = await startJsClient(synapse, aliceUser);
  await using bot = await newBot(synapse, [aliceUser.userId]);
  const began = performance.now();
  const matrix = await bot.start();
  await matrix.ready;
  expect(performance.now() - began).toBeLessThan(3_000);

  const dm = await matrix.chat.openDm(alice.userId as UserId, {
    reason: 'A token speaks for you.',
    encrypted: true,
  });
  expect(dm).toMatchObject({ encrypted: true, membership: 'invite', justTheTwo: true });
  const beforeJoin = await matrix.chat.send(dm.roomId, text('before you joined'), {
    transactionId: 't1',
    marker: 'm1',
    expect: 'encrypted',
    audience: 'every-device',
  });
  const invite = await alice.waitForInvite((i) => i.roomId === dm.roomId);
  expect(invite).toMatchObject({
    inviter: bot.user.userId,
    reason: 'A token speaks for you.',
    isDirect: true,
  });
  await alice.join(dm.roomId);
  // She cannot know the bot's device before she shares a room with it, and asks for it on joining.
  expect(
    await alice.waitForMessage((m) => m.eventId === beforeJoin && m.shield?.colour !== 'red'),
  ).toMatchObject({
    wasEncrypted: true,
    undecryptable: null,
    signedByOwner: true,
    shield: { colour: 'none', reason: null },
    content: { body: 'before you joined', msgtype: 'm.notice' },
  });

  const token = await matrix.chat.send(
    dm.roomId,
    text('mwt_secret', { mentions: [alice.userId as UserId], msgtype: 'm.text' }),
    {
      transactionId: 't2',
      marker: 'm2',
      expect: 'encrypted',
      audience: 'cross-signed',
    },
  );
  expect(await alice.waitForMessage((m) => m.eventId === token)).toMatchObject({
    wasEncrypted: true,
    shield: { colour: 'none' },
    content: { body: 'mwt_secret', 'm.mentions': { user_ids: [alice.userId] } },
  });
  const raw = await matrixRequest<{ type: string; content: Record<string, unknown> }>(
    synapse.baseUrl,
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(dm.roomId)}/event/${encodeURIComponent(token)}`,
    { token: bot.options.accessToken },
  );
  expect(raw.type).toBe('m.room.encrypted');
  expect(raw.content['org.mintwarden.id']).toBe('m2');
  expect(JSON.stringify(raw)).not.toContain('mwt_secret');
  expect(await matrix.chat.findByMarker(dm.roomId, 'm2', 0)).toBe(token);
  expect(await matrix.chat.findByMarker(dm.roomId, 'm3', 0)).toBeNull();
  expect(await matrix.chat.dm(alice.userId as UserId)).toMatchObject({
    roomId: dm.roomId,
    membership: 'join',
  });

  // the same transaction id sends once
  const again = await matrix.chat.send(dm.roomId, text('mwt_secret'), {
    transactionId: 't2',
    marker: 'm2',
    expect: 'encrypted',
    audience: 'cross-signed',
  });
  expect(again).toBe(token);

  await alice.say(dm.roomId, 'tokens');
  expect(await bot.hearsMessage((m) => m.body === 'tokens')).toMatchObject({
    roomId: dm.roomId,
    sender: alice.userId,
    isEdit: false,
    encryption: {
      deviceSigned: true,
      messageIndex: 0,
      masterKey: (await matrix.chat.keys(alice.userId as UserId)).masterKey,
    },
  });
  expect(bot.logged.join('\n')).not.toContain('mwt_secret');
});

test('matrix-nio, which shares nothing with our engine, reads it too', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('nia');
  await using nia = await startNioClient(synapse, user);
  await using bot = await newBot(synapse, [user.userId]);
  const matrix = await bot.start();
  const dm = await matrix.chat.openDm(nia.userId as UserId, { reason: 'r', encrypted: true });
  await nia.join(dm.roomId);
  const sent = await matrix.chat.send(dm.roomId, text('for nia'), {
    transactionId: 't1',
    marker: 'm1',
    expect: 'encrypted',
    audience: 'cross-signed',
  });
  expect(await nia.waitForMessage((m) => m.eventId === sent)).toMatchObject({
    wasEncrypted: true,
    signedByOwner: true,
    content: { body: 'for nia' },
  });
});

test('someone whose settings block invitations is named as such', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('deaf');
  await using bot = await newBot(synapse, [user.userId]);
  const matrix = await bot.start();
  await matrix.ready;
  await matrixRequest(
    synapse.baseUrl,
    'PUT',
    `/_matrix/client/v3/user/${user.userId}/account_data/m.invite_permission_config`,
    { token: user.accessToken, body: { default_action: 'block' } },
  );
  await expect(
    matrix.chat.openDm(user.userId as UserId, { reason: 'A token speaks for you.', encrypted: true }),
  ).rejects.toMatchObject({
    code: 'recipient-unusable',
    message: expect.stringContaining('M_INVITE_BLOCKED'),
  });
});
