import './suppress-sdk-warning';
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
import { arrayAt, isJson, objectAt, path, stringsAt, type Homeserver, type Json } from './homeserver.ts';
import { withEngine } from './engine-errors.ts';
import { MemoryCryptoStorage, sdkStorage } from './sdk-storage.ts';
import type { PositionStore } from './options.ts';

/** The account's encryption: matrix-bot-sdk's engine over our machine, and what is needed beyond it. */
export type EngineClient = {
  readonly machine: OlmMachine;
  /** One at a time with the taking in of sync answers: what asks the machine for requests and sends them. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Sends every request the machine has ready. Only within `alone`. */
  runOutgoing(): Promise<void>;
  /** Takes in a sync answer: to-device messages, changed device lists, counts of keys. */
  takeIn(answer: Json): Promise<void>;
  /**
   * Has the store take a user's present identity for theirs, where that is the one that was written down: its
   * own memory of the first one must not outlive an operator's word. Only within `alone`.
   */
  followPin(userId: string): Promise<void>;
  close(): Promise<void>;
};

/** matrix-bot-sdk's client with our HTTP below it, so that every error speaks one language. */
class SdkClient extends MatrixClient {
  readonly #homeserver: Homeserver;

  constructor(
    homeserverUrl: string,
    homeserver: Homeserver,
    storage: PositionStore,
    cryptoStore: MemoryCryptoStorage,
  ) {
    super(homeserverUrl, '', sdkStorage(storage), cryptoStore);
    this.#homeserver = homeserver;
  }

  override doRequest(
    method: 'GET' | 'POST' | 'PUT',
    endpoint: string,
    query?: Json | null,
    body?: unknown,
  ): Promise<Json> {
    const plain = query as Record<string, string> | null | undefined;
    return this.#homeserver.ask(method, endpoint, {
      ...(plain && { query: plain }),
      ...(body !== null && body !== undefined && { body }),
    });
  }
}

/**
 * What matrix-bot-sdk keeps to itself and would set in `prepare`, after having uploaded keys we have not yet
 * judged.
 */
type CryptoInsides = { engine: RustEngine; deviceId: string; ready: boolean };

/**
 * Opens the encryption store in `stateDir`, making it if it is not there. Sends nothing yet.
 * @throws MintwardenError `state`: in use by another process, of another device, damaged, or its key is wrong
 */
export async function openEngine(options: {
  readonly homeserverUrl: string;
  readonly homeserver: Homeserver;
  readonly userId: string;
  readonly deviceId: string;
  readonly stateDir: string;
  readonly storeKey: Uint8Array;
  readonly position: PositionStore;
  readonly sharing: (roomId: string) => Sharing;
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
    ...(options.onFatal !== undefined && { onFatal: options.onFatal }),
  });
  const machine = await withEngine(() =>
    OlmMachine.initialize(
      new UserId(options.userId),
      new DeviceId(options.deviceId),
      cryptoStore.storagePath,
    ),
  );
  const engine = new RustEngine(machine, client);
  Object.assign(client.crypto as unknown as CryptoInsides, {
    engine,
    deviceId: options.deviceId,
    ready: true,
  });

  return {
    machine,
    alone: (work) => withEngine(() => engine.lock.acquire(SYNC_LOCK_NAME, work)),
    async runOutgoing() {
      await engine.run();
      for (const request of machine.pendingSignatureUploads())
        await sendSignatures(options.homeserver, machine, request);
    },
    takeIn: (answer) =>
      withEngine(async () => {
        const lists = objectAt(answer, 'device_lists');
        await client.crypto.updateSyncData(
          arrayAt(objectAt(answer, 'to_device'), 'events').filter(isJson) as never,
          objectAt(answer, 'device_one_time_keys_count'),
          [...stringsAt(answer, 'device_unused_fallback_key_types')] as never,
          [...stringsAt(lists, 'changed')],
          [...stringsAt(lists, 'left')],
        );
      }),
    async followPin(userId) {
      const identity = await machine.getIdentity(userId);
      if (identity?.needsUserApproval !== true) return;
      if ((await options.pinned(userId)) === identity.masterKey) await machine.pinIdentity(userId);
    },
    close: () => withEngine(() => machine.close()),
  };
}

async function sendSignatures(
  homeserver: Homeserver,
  machine: OlmMachine,
  request: OutgoingRequest,
): Promise<void> {
  const answer = await homeserver.ask('POST', path`/keys/signatures/upload`, {
    body: JSON.parse(request.body),
  });
  await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
}
