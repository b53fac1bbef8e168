import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { MintwardenError } from '../domain/errors.ts';
import { parseRoomId, parseUserId, type UserId } from '../domain/ids.ts';
import type { Chat } from '../ports/chat.ts';
import { createContacts } from './contacts.ts';
import { joinControlRoom, readControlRoom, readPredecessors } from './control-room.ts';
import { ensureCrossSigned, ensureOwnDevice } from './cross-signing.ts';
import { recordDevice, discardStoreOfOtherDevice } from './device-store.ts';
import { createDms } from './dm.ts';
import { createEncryptor } from './encrypt.ts';
import { openEngine, type EngineClient } from './engine-client.ts';
import { createHomeserverClient, path, stringAt, type HomeserverClient } from './homeserver.ts';
import { queryKeys, toKeys } from './keys.ts';
import { findByMarker, hasRead, redact } from './messages.ts';
import { listInvitations, startInvitations } from './invitations.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createReceiver } from './receiver.ts';
import { bridgeSdkLog } from './sdk-log.ts';
import type { BotClientOptions } from './options.ts';
import { send } from './send.ts';
import { startSyncLoop } from './sync-loop.ts';
import { createToDeviceGate } from './to-device-gate.ts';

/** The bot on Matrix, running. */
export type BotClient = {
  readonly chat: Chat;
  readonly deviceId: string;
  /** Resolves once the first news were dealt with. */
  readonly ready: Promise<void>;
  /**
   * When a sync was last answered, epoch ms; 0 before the first. Advances at least every 30 s while the
   * homeserver answers.
   */
  syncedAt(): number;
  /** Ends listening, waits for the event being handled, and gives the encryption store back. */
  stop(): Promise<void>;
};

/**
 * Starts the bot: opens its encryption store, makes sure that its device is signed, and syncs. `chat` can
 * be used at once.
 * @throws MintwardenError `state` (the store is in use, lost or another device's; the account's cross-signing
 *   keys are not ours), `configuration` (the token is another account's), `homeserver-unreachable`,
 *   `homeserver-refused`
 */
export async function startBotClient(options: BotClientOptions): Promise<BotClient> {
  const { homeserverUrl, log, now = Date.now } = options;
  const userId = parseUserId(options.userId);
  const controlRoomId = parseRoomId(options.controlRoomId);
  if (userId === null || controlRoomId === null)
    throw new MintwardenError('configuration', "The bot's user id or the control room's id is no id.");
  bridgeSdkLog(log);
  const homeserver = createHomeserverClient({ homeserverUrl, accessToken: options.accessToken });
  const deviceId = await fetchDeviceId(homeserver, userId);
  await discardStoreOfOtherDevice({
    folder: options.stateDir,
    deviceId,
    hasSeeds: async () => (await options.seeds.load()) !== null,
    log,
  });
  // Before a store is made: a lost one must be found missing at the next start, and by `init`, too.
  if (!existsSync(options.stateDir)) await ensureOwnDevice({ homeserver, userId, deviceId }, null);
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });

  const dms = createDms(homeserver, userId);
  const isWatched = async (roomId: string): Promise<boolean> =>
    roomId === controlRoomId || (await dms.userOf(roomId)) !== null;
  const encryptor = createEncryptor(homeserver, () => engine);
  const engine: EngineClient = await openEngine({
    homeserverUrl,
    homeserver,
    userId,
    deviceId,
    stateDir: options.stateDir,
    storeKey: options.storeKey,
    position: options.position,
    sharing: (roomId) => encryptor.keySharing(roomId),
    isWatched,
    ...(options.onFatal !== undefined && { onFatal: options.onFatal }),
    pinned: async (id) => (await options.pinnedMasterKey?.(id as UserId)) ?? null,
  });
  try {
    await ensureOwnDevice({ homeserver, userId, deviceId }, engine.machine.identityKeys.ed25519.toBase64());
    await recordDevice(options.stateDir, deviceId);
    await engine.withLock(() => engine.sendOutgoingRequests());
    await ensureCrossSigned({
      engine,
      homeserver,
      userId,
      deviceId,
      seeds: options.seeds,
      password: options.password ?? (async () => null),
    });
    await joinControlRoom(homeserver, controlRoomId);
    const watched = [controlRoomId, ...(await dms.rooms())];
    const removed = await engine.withLock(() => engine.machine.keepRoomKeysOf(watched));
    if (removed > 0) log.info('room keys of other rooms were removed', { removed });
  } catch (error) {
    await engine.close();
    throw error;
  }

  const elapsedMs = (): number => performance.now();
  const gate = createToDeviceGate({
    contacts: createContacts({ homeserver, botId: userId, controlRoomId, dms, elapsedMs }),
    identityKey: engine.machine.identityKeys.curve25519.toBase64(),
    onRefused: options.onRefused ?? (() => undefined),
    elapsedMs,
  });
  const invitations = startInvitations({
    homeserver,
    botId: userId,
    controlRoomId,
    isAdmin: options.isAdmin,
    log,
    elapsedMs,
  });
  listInvitations(homeserver).then(
    (answer) => invitations.note(answer),
    () => log.warn('earlier invitations could not be looked for'),
  );
  const receiver = createReceiver({
    engine,
    homeserver,
    botId: userId,
    isWatched,
    isAdmin: options.isAdmin,
    onEvent: options.onEvent,
    log,
    now,
    elapsedMs,
  });
  const loop = startSyncLoop({
    homeserver,
    engine,
    receiver,
    gate,
    invitations,
    position: options.position,
    log,
    now,
    onLoggedOut: options.onLoggedOut,
    onReconnected: options.onReconnected,
  });
  const queueByRoom = createKeyedQueue();
  const sender = { homeserver, encryptor, userId, queueByRoom };

  const chat: Chat = {
    userId,
    deviceId,
    send: (roomId, content, sending) => send(sender, roomId, content, sending),
    redact: (roomId, eventId, transactionId) => redact(homeserver, roomId, eventId, transactionId),
    findByMarker: (roomId, marker, since) => findByMarker(homeserver, userId, roomId, marker, since),
    dm: (user) => dms.find(user),
    openDm: (user, how) => dms.open(user, how),
    keys: async (user) => toKeys(await queryKeys(engine, homeserver, user)),
    hasRead: (roomId, eventId, user) => hasRead(homeserver, roomId, eventId, user),
    controlRoom: () => readControlRoom(homeserver, controlRoomId, userId),
    rejoinControlRoom: () => joinControlRoom(homeserver, controlRoomId),
    controlRoomPredecessors: () => readPredecessors(homeserver, controlRoomId),
  };
  return {
    chat,
    deviceId,
    ready: loop.ready,
    syncedAt: () => loop.syncedAt(),
    async stop() {
      await loop.stop();
      await invitations.stop();
      await engine.close();
    },
  };
}

/** The device the token is of. @throws MintwardenError `configuration` where it is another account's */
async function fetchDeviceId(homeserver: HomeserverClient, userId: string): Promise<string> {
  const whoami = await homeserver.request('GET', path`/account/whoami`);
  const deviceId = stringAt(whoami, 'device_id');
  if (stringAt(whoami, 'user_id') === userId && deviceId !== null) return deviceId;
  throw new MintwardenError(
    'configuration',
    `The bot's access token is not one of a device of ${userId}.`,
    'Run `mintwarden init` to log the bot in again.',
  );
}
