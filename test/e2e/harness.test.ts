import { expect, test } from 'vitest';
import { startJsClient } from '../harness/js-client.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { startNioClient } from '../harness/nio-client.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';

test('makes users on the shared Synapse, each under a name of its own', async () => {
  const synapse = sharedSynapse();
  const [first, second] = [await synapse.uniqueUser('alice'), await synapse.uniqueUser('alice')];
  expect(first.userId).not.toBe(second.userId);
  const me = await matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', {
    token: second.accessToken,
  });
  expect(me).toMatchObject({ user_id: second.userId });
});

test('three clients on two engines talk encrypted and decrypt everything', async () => {
  const synapse = sharedSynapse();
  const [aliceUser, bobUser, ninaUser] = await Promise.all(['alice', 'bob', 'nina'].map((name) => synapse.uniqueUser(name)));
  await using alice = await startJsClient(synapse, aliceUser!);
  await using bob = await startJsClient(synapse, bobUser!);
  await using nina = await startNioClient(synapse, ninaUser!);
  const room = await alice.createRoom({ name: 'Ops', invite: [bob.userId, nina.userId] });
  for (const guest of [bob, nina]) {
    expect(await guest.waitForInvite()).toMatchObject({ roomId: room, inviter: alice.userId });
    await guest.join(room);
  }
  for (const client of [alice, bob, nina]) for (const other of [alice, bob, nina]) await client.waitForMember(room, other.userId);

  for (const speaker of [alice, bob, nina]) {
    const sent = await speaker.say(room, `hello from ${speaker.userId}`, { mentions: [alice.userId] });
    for (const listener of [alice, bob, nina].filter((client) => client !== speaker)) {
      const heard = await listener.waitForMessage((event) => event.eventId === sent && event.type === 'm.room.message');
      expect(heard).toMatchObject({
        content: { body: `hello from ${speaker.userId}`, 'm.mentions': { user_ids: [alice.userId] } },
        wasEncrypted: true,
        undecryptable: null,
        signedByOwner: true,
      });
    }
  }
});
