import { HarnessError } from './harness-error.ts';
import { startJsClient } from './js-client.ts';
import type { JsClient } from './js-client.ts';
import { setUpMintwarden } from './mintwarden.ts';
import type { Mintwarden } from './mintwarden.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { startSynapse } from './synapse.ts';
import { searchWhatWasSaid } from './tell-tales.ts';
import type { Synapse, SynapseOptions } from './synapse.ts';
import type { TestUser } from './synapse-users.ts';

/** How everything is set up. */
export interface StageOptions {
  synapse?: SynapseOptions;
  /** Keys over those `init` wrote. */
  config?: Readonly<Record<string, unknown>>;
  /** Puts a proxy between the running service and Synapse. */
  proxied?: boolean;
  /** The `mintwarden` that is run; the clone's own unless given. */
  program?: string;
  onProgress?: (line: string) => void;
}

/**
 * A homeserver with two people and two rooms, and Mintwarden set up on it. Disposing of it removes it all,
 * and throws
 * `HarnessError` where the service's log or metrics held a token, the name of a room or the text of a
 * message.
 */
export interface Stage extends AsyncDisposable {
  synapse: Synapse;
  mintwarden: Mintwarden;
  /** Passes everything on, unless told otherwise; nobody uses it where `proxied` was not asked for. */
  proxy: Proxy;
  /**
   * Olivia gives the commands; alice just lives there; nobody has logged in as `you`, a second administrator.
   */
  users: Record<'olivia' | 'alice' | 'you', TestUser>;
  /** Matrix-js-sdk clients of olivia, who has joined the control room, and of alice. */
  olivia: JsClient;
  alice: JsClient;
  /** Two rooms of alice's, unencrypted, with a few messages in them. */
  ops: string;
  diary: string;
  readyMs: number;
}

/** Starts everything. Olivia and alice have cross-signed devices. */
export async function setTheStage(options: StageOptions = {}): Promise<Stage> {
  const tell = options.onProgress ?? ((): void => undefined);
  await using cleanup = new AsyncDisposableStack();
  const synapse = cleanup.use(await startSynapse({ onProgress: tell, ...options.synapse }));
  tell(`Synapse is up at ${synapse.baseUrl}.`);
  const proxy = cleanup.use(await startProxy(synapse.baseUrl));
  const users = {
    olivia: await synapse.registerUser('olivia'),
    alice: await synapse.registerUser('alice'),
    you: await synapse.registerUser('you'),
  };
  const olivia = cleanup.use(await startJsClient(synapse, users.olivia));
  const alice = cleanup.use(await startJsClient(synapse, users.alice));

  const ops = await alice.createRoom({ name: 'Ops', encrypted: false });
  const diary = await alice.createRoom({ name: 'Diary', encrypted: false });
  for (const body of ['Backups ran at 03:00.', 'Disk 2 is at 71 %.']) {
    await alice.sendPlaintext(ops, 'm.room.message', { msgtype: 'm.text', body });
  }
  await alice.sendPlaintext(diary, 'm.room.message', { msgtype: 'm.text', body: 'Nobody shall read this.' });
  tell('Alice has two rooms, Ops and Diary. Olivia is the administrator.');

  const mintwarden = cleanup.use(
    await setUpMintwarden({
      homeserverUrl: synapse.baseUrl,
      ...(options.proxied === true ? { serviceHomeserverUrl: proxy.baseUrl } : {}),
      adminToken: synapse.adminToken,
      admins: [users.olivia.userId, users.you.userId],
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.program === undefined ? {} : { program: options.program }),
      onProgress: (line) => {
        // What it says to do next is done here.
        if (!/^(Next:|Then |If )/.test(line)) tell(`init: ${line}`);
      },
    }),
  );
  const readyMs = await mintwarden.start();
  tell(
    `Mintwarden is up, ${(readyMs / 1000).toFixed(1)} s after it was started; its gateway is at ${mintwarden.gatewayUrl}.`,
  );
  await olivia.waitForInvite((invite) => invite.roomId === mintwarden.controlRoomId);
  await olivia.join(mintwarden.controlRoomId);
  await olivia.waitForMember(mintwarden.controlRoomId, mintwarden.botUserId);

  const atEnd = cleanup.move();
  return {
    synapse,
    mintwarden,
    proxy,
    users,
    olivia,
    alice,
    ops,
    diary,
    readyMs,
    async [Symbol.asyncDispose]() {
      const found = await searchWhatWasSaid({ synapse, mintwarden, clients: [olivia, alice] });
      await atEnd.disposeAsync();
      if (found.length > 0)
        throw new HarnessError(
          `The log or the metrics of Mintwarden hold what they must not: ${found.join(', ')}.`,
        );
    },
  };
}
