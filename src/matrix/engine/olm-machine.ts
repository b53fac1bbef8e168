import * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';
import {
  toSeeds,
  toStatus,
  toUploads,
  type CrossSigningSeeds,
  type CrossSigningStatus,
  type CrossSigningUploads,
} from './cross-signing.ts';
import { checkSender, describeEncryption, messageIndexOf, type EncryptionInfo } from './encryption-info.ts';
import { EngineError } from './errors.ts';
import {
  summarizeDevice,
  summarizeIdentity,
  type DeviceSummary,
  type IdentitySummary,
} from './identities.ts';
import { openMachine, type OpenMachine } from './open-machine.ts';
import { createQueue } from './queue.ts';
import { hasReplacedIdentity, withoutReplaced } from './replaced-identities.ts';
import { isSentBySdk, isSignatureUpload, toOutgoingRequest, type OutgoingRequest } from './requests.ts';
import { createShareRecord } from './share-record.ts';
import { toWasmSettings, usesAtMost, type EncryptionSettings } from './sharing.ts';
import { toSignatures, type Signatures } from './signatures.ts';
import { hashOfRoom } from './room-hash.ts';
import {
  decryptedEvents,
  ownedUserIds,
  roomsOfKeys,
  toWasmDeviceLists,
  type DeviceLists,
} from './sync-changes.ts';
import { usersWithDevices } from './users-with-devices.ts';

/**
 * One device's encryption: the binding's `OlmMachine` as matrix-bot-sdk 0.8.0 uses it, and more. Every method
 * rejects with an `EngineError`; once a write to the store has failed, all of them do.
 */
export class OlmMachine {
  readonly #open: OpenMachine;
  readonly #machine: wasm.OlmMachine;
  #closing: Promise<void> | undefined;
  readonly #heldBack = new Map<string, OutgoingRequest>();
  readonly #shared = createShareRecord();
  /** Shares and encryptions one at a time, so that the check before an encryption still holds during it. */
  readonly #inTurn = createQueue();

  private constructor(open: OpenMachine) {
    this.#open = open;
    this.#machine = open.machine;
  }

  /**
   * Opens the store at `storagePath`, for which `configureEngine` has been called. The passphrase and the
   * store's type, which matrix-bot-sdk passes, mean nothing here.
   */
  static async initialize(
    userId: wasm.UserId,
    deviceId: wasm.DeviceId,
    storagePath: string,
    _passphrase?: string,
    _storeType?: number,
  ): Promise<OlmMachine> {
    return new OlmMachine(await openMachine(userId, deviceId, storagePath));
  }

  get userId(): wasm.UserId {
    return this.#machine.userId;
  }

  get deviceId(): wasm.DeviceId {
    return this.#machine.deviceId;
  }

  get identityKeys(): wasm.IdentityKeys {
    return this.#machine.identityKeys;
  }

  /** Takes in the to-device part of a sync answer. Resolves to the decrypted events, a JSON array. */
  receiveSyncChanges(
    toDeviceEvents: string,
    deviceLists: DeviceLists,
    oneTimeKeyCounts: Record<string, number>,
    unusedFallbackKeys?: readonly string[],
  ): Promise<string> {
    return this.#run(async () => {
      const counts = new Map(Object.entries(oneTimeKeyCounts));
      const fallback = unusedFallbackKeys && new Set(unusedFallbackKeys);
      // A room key from an unsigned device is taken: its sender is judged when an event is decrypted with it.
      const events = await this.#machine.receiveSyncChanges(
        toDeviceEvents,
        toWasmDeviceLists(deviceLists),
        counts,
        fallback,
        new wasm.DecryptionSettings(wasm.TrustRequirement.Untrusted),
      );
      const decrypted = decryptedEvents(events);
      await this.#removeUselessKeys(roomsOfKeys(decrypted));
      return decrypted;
    });
  }

  /**
   * Removes the room keys that were received for any room but these. Not beside `decryptRoomEvent`. Resolves to
   * how many they were.
   */
  keepRoomKeysOf(rooms: readonly string[]): Promise<number> {
    return this.#run(async () => {
      const kept = await this.#hashesOf(rooms);
      await this.#open.store.retention.trim();
      return this.#open.store.retention.removeRoomKeys((room) => !kept.has(room));
    });
  }

  /** The requests due that matrix-bot-sdk sends; signature uploads among them are held back. */
  outgoingRequests(): Promise<OutgoingRequest[]> {
    return this.#run(async () => {
      const due = (await this.#machine.outgoingRequests()).map(toOutgoingRequest);
      for (const request of due.filter(isSignatureUpload)) this.#heldBack.set(request.id, request);
      return due.filter(isSentBySdk);
    });
  }

  /**
   * The uploads held back, to be sent by us: POST /keys/signatures/upload, then mark. Empty before a first
   * sync.
   */
  pendingSignatureUploads(): OutgoingRequest[] {
    // Not asked of the engine: each time it is asked it makes new key queries, and takes no answer to
    // older ones.
    return [...this.#heldBack.values()];
  }

  /** `response` is the homeserver's answer, as JSON. */
  markRequestAsSent(id: string, type: wasm.RequestType, response: string): Promise<boolean> {
    return this.#run(async () => {
      await this.#machine.markRequestAsSent(id, type, response);
      this.#heldBack.delete(id);
      return true;
    });
  }

  /** The one-time keys to claim before a room key can be shared with all known devices of `users`. */
  getMissingSessions(users: readonly wasm.UserId[]): Promise<OutgoingRequest | null> {
    return this.#run(async () => {
      const request = await this.#machine.getMissingSessions(await usersWithDevices(this.#machine, users));
      return request ? toOutgoingRequest(request) : null;
    });
  }

  updateTrackedUsers(users: readonly wasm.UserId[]): Promise<void> {
    return this.#run(() => this.#machine.updateTrackedUsers(ownedUserIds(users)));
  }

  /** A key query for `userIds`, due or not: POST /keys/query, then mark. */
  queryKeys(userIds: readonly string[]): OutgoingRequest {
    return toOutgoingRequest(this.#machine.queryKeysForUsers(ownedUserIds(userIds)));
  }

  /** Shares the room's key with `users`, by the strategy that the settings give for the room. */
  shareRoomKey(
    room: wasm.RoomId,
    users: readonly wasm.UserId[],
    settings: EncryptionSettings,
  ): Promise<OutgoingRequest[]> {
    const roomId = room.toString();
    const sharing = this.#sharing(roomId);
    const share = async () => {
      const withDevices = await usersWithDevices(this.#machine, users);
      const known = sharing === 'identity' ? await withoutReplaced(this.#machine, withDevices) : withDevices;
      return this.#machine.shareRoomKey(room, known, toWasmSettings(settings, sharing));
    };
    return this.#run(() =>
      this.#inTurn(async () =>
        (await this.#shared.during(roomId, sharing, usesAtMost(settings), share)).map(toOutgoingRequest),
      ),
    );
  }

  /** Makes the next message of this room use a new key. Resolves to whether there was an old one. */
  invalidateRoomKey(roomId: string): Promise<boolean> {
    return this.#run(() => this.#machine.invalidateGroupSession(new wasm.RoomId(roomId)));
  }

  /** Resolves to the content of an `m.room.encrypted` event, as JSON, once the ratchet's step is on disk. */
  encryptRoomEvent(room: wasm.RoomId, type: string, content: string): Promise<string> {
    return this.#run(() =>
      this.#inTurn(async () => {
        const roomId = room.toString();
        this.#shared.check(roomId, this.#sharing(roomId));
        const encrypted = await this.#machine.encryptRoomEvent(room, type, content);
        this.#shared.used(roomId, messageIndexOf(encrypted));
        return encrypted;
      }),
    );
  }

  /** Rejects with `undecryptable` also when the sender does not meet the room's trust requirement. */
  decryptRoomEvent(event: string, room: wasm.RoomId): Promise<{ event: string; info: EncryptionInfo }> {
    return this.#run(async () => {
      const roomId = room.toString();
      const requirement = this.#open.settings.trustRequirement?.(roomId) ?? 'cross-signed';
      const decrypted = await this.#machine.decryptRoomEvent(
        event,
        room,
        new wasm.DecryptionSettings(
          requirement === 'any' ? wasm.TrustRequirement.Untrusted : wasm.TrustRequirement.CrossSigned,
        ),
      );
      const isReplaced = await hasReplacedIdentity(this.#machine, decrypted.sender.toString());
      const info = describeEncryption(decrypted, event, roomId, isReplaced);
      checkSender(info, requirement);
      return { event: decrypted.event, info };
    });
  }

  sign(message: string): Promise<Signatures> {
    return this.#run(async () => toSignatures(await this.#machine.sign(message)));
  }

  crossSigningStatus(): Promise<CrossSigningStatus> {
    return this.#run(async () => toStatus(await this.#machine.crossSigningStatus()));
  }

  /** With `reset`, new keys even if there are some; without, the uploads of the keys there are, once more. */
  bootstrapCrossSigning(reset: boolean): Promise<CrossSigningUploads> {
    return this.#run(async () => toUploads(await this.#machine.bootstrapCrossSigning(reset)));
  }

  /** The private keys, to be kept sealed; undefined when there are none. */
  exportCrossSigningKeys(): Promise<CrossSigningSeeds | undefined> {
    return this.#run(async () => {
      const exported = await this.#machine.exportCrossSigningKeys();
      return exported && toSeeds(exported);
    });
  }

  /** The own public keys have to be known before: `queryKeys` for the own user. */
  importCrossSigningKeys(seeds: CrossSigningSeeds): Promise<CrossSigningStatus> {
    return this.#run(async () =>
      toStatus(
        await this.#machine.importCrossSigningKeys(seeds.master, seeds.selfSigning, seeds.userSigning),
      ),
    );
  }

  /**
   * Signs this device with the private keys in the store. Resolves to the JSON for POST
   * /keys/signatures/upload.
   */
  signOwnDevice(): Promise<string> {
    return this.#run(async () => {
      const device = await this.#machine.getDevice(this.userId, this.deviceId, 0);
      if (!device) throw unknown('The own device is not known yet.');
      return (await device.verify()).body;
    });
  }

  /** Signs the own master key with this device: the JSON for POST /keys/signatures/upload. */
  signOwnIdentity(): Promise<string> {
    return this.#run(async () => {
      const identity = await this.#machine.getIdentity(this.userId);
      if (!identity) throw unknown('The own identity is not known yet.');
      return (await identity.verify()).body;
    });
  }

  /** A user's devices as last learned; `queryKeys` updates them. */
  getUserDevices(userId: string): Promise<DeviceSummary[]> {
    return this.#run(async () => {
      const devices = await this.#machine.getUserDevices(new wasm.UserId(userId), 0);
      return devices.devices().map(summarizeDevice);
    });
  }

  /** A user's identity as last learned; undefined when they have none or are not known. */
  getIdentity(userId: string): Promise<IdentitySummary | undefined> {
    return this.#run(async () => {
      const identity = await this.#machine.getIdentity(new wasm.UserId(userId));
      return identity && summarizeIdentity(userId, identity);
    });
  }

  /** Takes the master key that a user has now as theirs from now on. */
  pinIdentity(userId: string): Promise<void> {
    return this.#run(async () => {
      const identity = await this.#machine.getIdentity(new wasm.UserId(userId));
      if (!identity) throw unknown(`No identity of ${userId} is known.`);
      if (identity instanceof wasm.OtherUserIdentity) await identity.pinCurrentMasterKey();
    });
  }

  /** Waits for what is under way and gives the store back. Doing it twice does no harm. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#open.guard.close();
    try {
      this.#machine.close();
    } catch (error) {
      // What waits for a commit that could not be written holds it for ever. It can write no more once the
      // file is closed.
      if (!this.#open.guard.isBroken) throw error;
    } finally {
      this.#open.store.close();
    }
  }

  async #removeUselessKeys(rooms: ReadonlySet<string>): Promise<void> {
    const { settings, store } = this.#open;
    const dropped: string[] = [];
    for (const room of rooms) if ((await settings.keepsRoomKeys?.(room)) === false) dropped.push(room);
    const hashes = await this.#hashesOf(dropped);
    if (hashes.size > 0) await store.retention.removeRoomKeys((room) => hashes.has(room));
    await store.retention.trim();
  }

  async #hashesOf(rooms: readonly string[]): Promise<ReadonlySet<string>> {
    const hashes = new Set<string>();
    for (const room of rooms) hashes.add(await hashOfRoom(this.#machine, this.#open.store.retention, room));
    return hashes;
  }

  #sharing(roomId: string) {
    return this.#open.settings.sharingStrategy?.(roomId) ?? 'identity';
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    return this.#open.guard.run(operation);
  }
}

function unknown(sentence: string): EngineError {
  return new EngineError('engine', sentence, 'Query the keys first.');
}
