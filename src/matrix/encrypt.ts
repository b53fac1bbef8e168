import {
  EncryptionAlgorithm,
  EncryptionSettings,
  HistoryVisibility,
  RoomId,
  UserId,
  type Sharing,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import type { Audience } from '../ports/chat.ts';
import type { EngineClient } from './engine-client.ts';
import { isJson, objectAt, path, stringAt, type Homeserver, type Json } from './homeserver.ts';
import { askFor } from './keys.ts';
import type { RoomState } from './room-state.ts';

/** Encrypts for rooms, and remembers for whom each room's key was made. */
export type Encryptor = {
  /**
   * Encrypts for the members of the room, invited ones included, as `state` has them. Their keys are asked for
   * anew. Under `cross-signed`, the room's key is new unless the last one was made under it too, by this process:
   * no device that was given an earlier key can read it.
   */
  encrypt(roomId: string, state: RoomState, content: Json, audience: Audience): Promise<Json>;
  /** What the engine asks at each share and encryption. Deny by default. */
  sharing(roomId: string): Sharing;
};

const VISIBILITIES: Readonly<Record<string, HistoryVisibility>> = {
  invited: HistoryVisibility.Invited,
  shared: HistoryVisibility.Shared,
  world_readable: HistoryVisibility.WorldReadable,
};

/** A room's key lasts a week or a hundred messages, as the specification recommends. */
const ROTATION_MS = 604_800_000n;
const ROTATION_MESSAGES = 100n;

/** `engine` comes later, since it is itself made with `sharing`. The caller sees to one message at a time in a room. */
export function createEncryptor(homeserver: Homeserver, engine: () => EngineClient): Encryptor {
  const audiences = new Map<string, Audience>();
  const keptTo = new Map<string, Audience>();

  return {
    sharing: (roomId) => (audiences.get(roomId) === 'every-device' ? 'devices' : 'identity'),
    async encrypt(roomId, state, content, audience) {
      const client = engine();
      const { machine } = client;
      audiences.set(roomId, audience);
      try {
        return await client.alone(async () => {
          if (audience === 'cross-signed' && keptTo.get(roomId) !== 'cross-signed') await machine.invalidateRoomKey(roomId);
          keptTo.delete(roomId);
          await share(client, homeserver, roomId, state);
          const encrypted: unknown = JSON.parse(
            await machine.encryptRoomEvent(new RoomId(roomId), 'm.room.message', JSON.stringify(content)),
          );
          keptTo.set(roomId, audience);
          if (!isJson(encrypted)) throw new TypeError('the engine gave no object');
          return encrypted;
        });
      } finally {
        audiences.delete(roomId);
      }
    },
  };
}

async function share({ machine }: EngineClient, homeserver: Homeserver, roomId: string, state: RoomState): Promise<void> {
  const members = state.members('join', 'invite');
  const users = members.map((member) => new UserId(member));
  await machine.updateTrackedUsers(users);
  await askFor(machine, homeserver, members);
  const claim = await machine.getMissingSessions(users);
  if (claim !== null) {
    const answer = await homeserver.ask('POST', path`/keys/claim`, { body: JSON.parse(claim.body) });
    await machine.markRequestAsSent(claim.id, claim.type, JSON.stringify(answer));
  }
  for (const request of await machine.shareRoomKey(new RoomId(roomId), users, settingsOf(state))) {
    const [type, transactionId] = [request.eventType ?? '', request.txnId ?? request.id];
    const answer = await homeserver.ask('PUT', path`/sendToDevice/${type}/${transactionId}`, {
      body: { messages: objectAt(JSON.parse(request.body), 'messages') },
    });
    await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  }
}

function settingsOf(state: RoomState): EncryptionSettings {
  const settings = new EncryptionSettings();
  settings.algorithm = EncryptionAlgorithm.MegolmV1AesSha2;
  settings.historyVisibility =
    VISIBILITIES[stringAt(state.content('m.room.history_visibility'), 'history_visibility') ?? ''] ?? HistoryVisibility.Joined;
  settings.rotationPeriod = ROTATION_MS;
  settings.rotationPeriodMessages = ROTATION_MESSAGES;
  return settings;
}
