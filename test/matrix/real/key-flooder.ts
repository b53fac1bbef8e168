import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  configureEngine,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  OlmMachine,
  RequestType,
  RoomId,
  UserId,
  type OutgoingRequest,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import { matrixRequest } from '../../harness/matrix-http.ts';
import type { TestUser } from '../../harness/synapse-users.ts';

/** Somebody who sends a device what they like, properly encrypted. */
export interface KeyFlooder extends AsyncDisposable {
  /** Makes a room key for each of the rooms and sends it to the victim's devices. */
  sendRoomKeys(rooms: readonly string[]): Promise<void>;
  /** Tells the victim's devices that keys are withheld, which takes no encryption. */
  sendWithheld(count: number): Promise<void>;
}

const V3 = '/_matrix/client/v3';
let transactions = 0;

/** The victim has to have uploaded keys already. */
export async function startKeyFlooder(baseUrl: string, user: TestUser, victim: string): Promise<KeyFlooder> {
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-flooder-'));
  const store = join(folder, 'crypto');
  configureEngine(store, { storeKey: new Uint8Array(32), sharingStrategy: () => 'devices' });
  const machine = await OlmMachine.initialize(new UserId(user.userId), new DeviceId(user.deviceId), store);
  const request = (method: string, path: string, body: unknown) =>
    matrixRequest(baseUrl, method, V3 + path, { token: user.accessToken, body });
  const sendToDevice = (type: string, messages: unknown) =>
    request('PUT', `/sendToDevice/${type}/flood-${String(transactions++)}`, { messages });

  async function carry(due: OutgoingRequest): Promise<void> {
    const body = JSON.parse(due.body) as { messages?: unknown };
    const answer =
      due.type === RequestType.KeysUpload
        ? await request('POST', '/keys/upload', body)
        : due.type === RequestType.KeysQuery
          ? await request('POST', '/keys/query', body)
          : due.type === RequestType.KeysClaim
            ? await request('POST', '/keys/claim', body)
            : await sendToDevice(due.eventType ?? '', body.messages);
    await machine.markRequestAsSent(due.id, due.type, JSON.stringify(answer));
  }

  await machine.receiveSyncChanges('[]', new DeviceLists(), { signed_curve25519: 0 });
  for (const due of await machine.outgoingRequests()) await carry(due);
  await machine.updateTrackedUsers([new UserId(victim)]);
  await carry(machine.queryKeys([victim]));

  return {
    async sendRoomKeys(rooms) {
      const users = [new UserId(victim)];
      const claim = await machine.getMissingSessions(users);
      if (claim !== null) await carry(claim);
      for (const room of rooms) {
        await machine.invalidateRoomKey(room);
        const due = await machine.shareRoomKey(new RoomId(room), users, new EncryptionSettings());
        for (const each of due) await carry(each);
      }
    },
    async sendWithheld(count) {
      for (let index = 0; index < count; index++) {
        const content = {
          algorithm: 'm.megolm.v1.aes-sha2',
          code: 'm.blacklisted',
          room_id: `!${user.localpart}-${String(index)}:nowhere.invalid`,
          session_id: String(index),
          sender_key: machine.identityKeys.curve25519.toBase64(),
        };
        await sendToDevice('m.room_key.withheld', { [victim]: { '*': content } });
      }
    },
    async [Symbol.asyncDispose]() {
      await machine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
