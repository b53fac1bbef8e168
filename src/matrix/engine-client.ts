import './suppress-sdk-warning.ts';
import {
  configureEngine,
  DeviceId,
  OlmMachine,
  UserId,
  type OutgoingRequest,
  type Sharing,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import { MatrixClient } from 'matrix-bot-sdk';
import { RustEngine, SYNC_LOCK_NAME } from 'matrix-bot-sdk/lib/e2ee/RustEngine.js';
import { objectAt, path, stringsAt, type HomeserverClient, type JsonObject } from './homeserver.ts';
import { mapEngineErrors } from './engine-errors.ts';
import { MemoryCryptoStorage, sdkStorage } from './sdk-storage.ts';
import type { PositionStore } from './options.ts';

/** The account's encryption: matrix-bot-sdk's engine over our machine, and what is needed beyond it. */
export type EngineClient = {
  readonly machine: OlmMachine;
  /** One at a time with the taking in of sync answers: what asks the machine for requests and sends them. */
  withLock<T>(work: () => Promise<T>): Promise<T>;
  /** Sends every request the machine has ready. Only within `alone`. */
  sendOutgoingRequests(): Promise<void>;
  /** Takes in a sync answer: changed device lists, counts of keys, and those of its to-device events. */
  processSync(answer: JsonObject, toDevice: readonly JsonObject[]): Promise<void>;
  /**
   * Has the store take a user's present identity for theirs, where that is the one that was written down: its
   * own memory of the first one must not outlive an operator's word. Only within `alone`.
   */
  applyPin(userId: string): Promise<void>;
  close(): Promise<void>;
};

/** matrix-bot-sdk's client with our HTTP below it, so that every error speaks one language. */
class SdkClient extends MatrixClient {
  readonly #homeserver: HomeserverClient;

  constructor(
    homeserverUrl: string,
    homeserver: HomeserverClient,
    storage: PositionStore,
    cryptoStore: MemoryCryptoStorage,
  ) {
    super(homeserverUrl, '', sdkStorage(storage), cryptoStore);
    this.#homeserver = homeserver;
  }

  override doRequest(
    method: 'GET' | 'POST' | 'PUT',
    endpoint: string,
    query?: JsonObject | null,
    body?: unknown,
  ): Promise<JsonObject> {
    const plain = query as Record<string, string> | null | undefined;
    return this.#homeserver.request(method, endpoint, {
      ...(plain && { query: plain }),
      ...(body !== null && body !== undefined && { body }),
    });
  }
}

/**
 * What matrix-bot-sdk keeps to itself and would set in `prepare`, after having uploaded keys we have not yet
 * judged.
 */
type SdkCryptoInternals = { engine: RustEngine; deviceId: string; ready: boolean };

/**
 * Opens the encryption store in `stateDir`, making it if it is not there. Sends nothing yet.
 * @throws MintwardenError `state`: in use by another process, of another device, damaged, or its key is wrong
 */
export async function openEngine(options: {
  readonly homeserverUrl: string;
  readonly homeserver: HomeserverClient;
  readonly userId: string;
  readonly deviceId: string;
  readonly stateDir: string;
  readonly storeKey: Uint8Array;
  readonly position: PositionStore;
  readonly sharing: (roomId: string) => Sharing;
  /** Whether messages of the room are ever read. */
  readonly isWatched: (roomId: string) => Promise<boolean>;
  readonly pinned: (userId: string) => Promise<string | null>;
  /** The store could not be written. Without it, the process ends. */
  readonly onFatal?: () => void;
}): Promise<EngineClient> {
  const cryptoStore = new MemoryCryptoStorage(options.stateDir, options.deviceId);
  const client = new SdkClient(options.homeserverUrl, options.homeserver, options.position, cryptoStore);
  configureEngine(cryptoStore.storagePath, {
    storeKey: options.storeKey,
    // Nothing is acted on below cross-signed, but the bot has to see it in order to say why.
    trustRequirement: () => 'any',
    sharingStrategy: options.sharing,
    keepsRoomKeys: options.isWatched,
    ...(options.onFatal !== undefined && { onFatal: options.onFatal }),
  });
  const machine = await mapEngineErrors(() =>
    OlmMachine.initialize(
      new UserId(options.userId),
      new DeviceId(options.deviceId),
      cryptoStore.storagePath,
    ),
  );
  const engine = new RustEngine(machine, client);
  Object.assign(client.crypto as unknown as SdkCryptoInternals, {
    engine,
    deviceId: options.deviceId,
    ready: true,
  });

  return {
    machine,
    withLock: (work) => mapEngineErrors(() => engine.lock.acquire(SYNC_LOCK_NAME, work)),
    async sendOutgoingRequests() {
      await engine.run();
      for (const request of machine.pendingSignatureUploads())
        await uploadPendingSignatures(options.homeserver, machine, request);
    },
    processSync: (answer, toDevice) =>
      mapEngineErrors(async () => {
        const lists = objectAt(answer, 'device_lists');
        await client.crypto.updateSyncData(
          [...toDevice] as never,
          objectAt(answer, 'device_one_time_keys_count'),
          [...stringsAt(answer, 'device_unused_fallback_key_types')] as never,
          [...stringsAt(lists, 'changed')],
          [...stringsAt(lists, 'left')],
        );
      }),
    async applyPin(userId) {
      const identity = await machine.getIdentity(userId);
      if (identity?.needsUserApproval !== true) return;
      if ((await options.pinned(userId)) === identity.masterKey) await machine.pinIdentity(userId);
    },
    close: () => mapEngineErrors(() => machine.close()),
  };
}

async function uploadPendingSignatures(
  homeserver: HomeserverClient,
  machine: OlmMachine,
  request: OutgoingRequest,
): Promise<void> {
  const answer = await homeserver.request('POST', path`/keys/signatures/upload`, {
    body: JSON.parse(request.body),
  });
  await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
}
