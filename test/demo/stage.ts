import { startJsClient } from '../harness/js-client.ts';
import type { JsClient } from '../harness/js-client.ts';
import { setUpMintwarden } from '../harness/mintwarden.ts';
import type { Mintwarden } from '../harness/mintwarden.ts';
import { startSynapse } from '../harness/synapse.ts';
import type { Synapse } from '../harness/synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';
import { aside } from './screen.ts';

/** Everything the story needs, running. Disposing of it ends and removes it all. */
export interface Stage extends AsyncDisposable {
  synapse: Synapse;
  mintwarden: Mintwarden;
  users: { olivia: TestUser; alice: TestUser };
  /** A second administrator, for whoever watches the demo to log in as. */
  you: TestUser;
  /** Olivia runs the homeserver's control room; alice just lives there. Both use matrix-js-sdk. */
  olivia: JsClient;
  alice: JsClient;
  ops: string;
  private: string;
}

/** Starts a homeserver with two people and two rooms, and sets Mintwarden up as an operator would. */
export async function setTheStage(): Promise<Stage> {
  await using cleanup = new AsyncDisposableStack();
  const synapse = cleanup.use(await startSynapse({ serverName: 'demo.local', onProgress: aside }));
  aside(`Synapse is up at ${synapse.baseUrl}.`);
  const users = { olivia: await synapse.registerUser('olivia'), alice: await synapse.registerUser('alice') };
  const you = await synapse.registerUser('you');
  const [olivia, alice] = await Promise.all([startJsClient(synapse, users.olivia), startJsClient(synapse, users.alice)]);
  cleanup.use(olivia);
  cleanup.use(alice);

  const ops = await alice.createRoom({ name: 'Ops', encrypted: false });
  const diary = await alice.createRoom({ name: 'Diary', encrypted: false });
  await alice.sendPlaintext(ops, 'm.room.message', { msgtype: 'm.text', body: 'Backups ran at 03:00.' });
  await alice.sendPlaintext(ops, 'm.room.message', { msgtype: 'm.text', body: 'Disk 2 is at 71 %.' });
  await alice.sendPlaintext(diary, 'm.room.message', { msgtype: 'm.text', body: 'Nobody shall read this.' });
  aside('Alice has two rooms, Ops and Diary. Olivia is the administrator.');

  const mintwarden = cleanup.use(
    await setUpMintwarden({
      homeserverUrl: synapse.baseUrl,
      adminToken: synapse.adminToken,
      admins: [olivia.userId, you.userId],
      onProgress: (line) => aside(`init: ${line}`),
    }),
  );
  const startedMs = await mintwarden.start();
  aside(`Mintwarden is up, ${(startedMs / 1000).toFixed(1)} s after it was started; its gateway is at ${mintwarden.gatewayUrl}.`);
  await olivia.waitForInvite((invite) => invite.roomId === mintwarden.controlRoomId);
  await olivia.join(mintwarden.controlRoomId);
  await olivia.waitForMember(mintwarden.controlRoomId, mintwarden.botUserId);

  const atEnd = cleanup.move();
  return { synapse, mintwarden, users, you, olivia, alice, ops, private: diary, [Symbol.asyncDispose]: () => atEnd.disposeAsync() };
}
