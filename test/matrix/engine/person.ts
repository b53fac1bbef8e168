import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  configureEngine,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  OlmMachine,
  RoomId,
  UserId,
  type EncryptionInfo,
  type EngineSettings,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import type { KeyServer } from './key-server.ts';

export const ROOM = '!room:test';
export const STORE_KEY = new Uint8Array(32).fill(7);

let events = 0;

const made: string[] = [];

/** For `afterAll`: removes the folders that `newFolder` made. */
export function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A folder of its own for a store. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mw-engine-'));
  made.push(folder);
  return join(folder, 'crypto');
}

/** One device of a user, with the requests of its engine carried to the key server. */
export class Person {
  readonly userId: string;
  readonly deviceId: string;
  readonly folder: string;
  readonly machine: OlmMachine;
  readonly #server: KeyServer;

  private constructor(
    server: KeyServer,
    userId: string,
    deviceId: string,
    folder: string,
    machine: OlmMachine,
  ) {
    this.#server = server;
    this.userId = userId;
    this.deviceId = deviceId;
    this.folder = folder;
    this.machine = machine;
  }

  static async arrives(
    server: KeyServer,
    userId: string,
    deviceId: string,
    settings: Partial<EngineSettings> & { folder?: string } = {},
  ): Promise<Person> {
    const { folder = newFolder(), ...rest } = settings;
    configureEngine(folder, { storeKey: STORE_KEY, ...rest });
    const machine = await OlmMachine.initialize(new UserId(userId), new DeviceId(deviceId), folder);
    const person = new Person(server, userId, deviceId, folder, machine);
    await person.sync();
    return person;
  }

  /** Takes in what waits at the server and sends what is due, as after a sync. */
  async sync(): Promise<void> {
    const { machine } = this;
    const inbox = this.#server.takeInbox(this.userId, this.deviceId);
    const counts = { signed_curve25519: this.#server.oneTimeKeyCount(this.userId, this.deviceId) };
    await machine.receiveSyncChanges(JSON.stringify(inbox), new DeviceLists(), counts, ['signed_curve25519']);
    await this.sendDue();
  }

  async sendDue(): Promise<void> {
    const due = [...(await this.machine.outgoingRequests()), ...this.machine.pendingSignatureUploads()];
    for (const request of due) {
      const answer = this.#server.answer(this.userId, this.deviceId, request);
      await this.machine.markRequestAsSent(request.id, request.type, answer);
    }
  }

  /** Asks the server for these users' keys now. */
  async learns(...userIds: string[]): Promise<void> {
    await this.machine.updateTrackedUsers(userIds.map((id) => new UserId(id)));
    const request = this.machine.queryKeys(userIds);
    await this.machine.markRequestAsSent(
      request.id,
      request.type,
      this.#server.answer(this.userId, this.deviceId, request),
    );
    await this.sendDue();
  }

  async makesIdentity(reset = true): Promise<void> {
    const uploads = await this.machine.bootstrapCrossSigning(reset);
    if (uploads.keys) {
      const answer = this.#server.answer(this.userId, this.deviceId, uploads.keys);
      await this.machine.markRequestAsSent(uploads.keys.id, uploads.keys.type, answer);
    }
    this.#server.uploadSigningKeys(this.userId, uploads.signingKeys);
    this.#server.uploadSignatures(uploads.signatures);
    await this.learns(this.userId);
  }

  /** Shares the room's key with all devices of these users that the strategy allows. */
  async shares(userIds: string[], settings = new EncryptionSettings(), roomId = ROOM): Promise<void> {
    await this.learns(...userIds);
    const users = userIds.map((id) => new UserId(id));
    const claim = await this.machine.getMissingSessions(users);
    if (claim) {
      await this.machine.markRequestAsSent(
        claim.id,
        claim.type,
        this.#server.answer(this.userId, this.deviceId, claim),
      );
    }
    for (const request of await this.machine.shareRoomKey(new RoomId(roomId), users, settings)) {
      const answer = this.#server.answer(this.userId, this.deviceId, request);
      await this.machine.markRequestAsSent(request.id, request.type, answer);
    }
  }

  /** Encrypts a message; the whole event comes back as JSON. */
  async says(text: string, roomId = ROOM): Promise<string> {
    const content = JSON.stringify({ msgtype: 'm.text', body: text });
    const encrypted = await this.machine.encryptRoomEvent(new RoomId(roomId), 'm.room.message', content);
    return JSON.stringify({
      type: 'm.room.encrypted',
      event_id: `$event${++events}`,
      room_id: roomId,
      sender: this.userId,
      origin_server_ts: Date.now(),
      content: JSON.parse(encrypted) as unknown,
    });
  }

  /** Decrypts an event: its text, and what is known of its sender. */
  async reads(event: string, roomId = ROOM): Promise<{ text: string; info: EncryptionInfo }> {
    const { event: clear, info } = await this.machine.decryptRoomEvent(event, new RoomId(roomId));
    const { content } = JSON.parse(clear) as { content: { body: string } };
    return { text: content.body, info };
  }
}
