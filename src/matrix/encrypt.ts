import {
  EncryptionAlgorithm,
  EncryptionSettings,
  HistoryVisibility,
  RoomId,
  UserId as EngineUserId,
  type OlmMachine,
  type Sharing,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import { MintwardenError } from '../domain/errors.ts';
import type { UserId } from '../domain/ids.ts';
import type { Audience } from '../ports/chat.ts';
import type { EngineClient } from './engine-client.ts';
import {
  isJsonObject,
  objectAt,
  path,
  stringAt,
  type HomeserverClient,
  type JsonObject,
} from './homeserver.ts';
import { fetchKeys, evaluateKeys, toKeys, trackUsers } from './keys.ts';
import type { RoomState } from './room-state.ts';

/** Encrypts for rooms, and remembers for whom each room's key was made. */
export type Encryptor = {
  /**
   * Encrypts for the members of the room, invited ones included, as `state` has them.
   *
   * Under `cross-signed`, everyone's keys are queried again, and the room's key is new unless the last one
   * was made under it too, by this process: no device that was given an earlier key can read it.
   * @param recipient someone without whose signed device there is no sense in it, under `cross-signed`
   * @throws MintwardenError `recipient-unusable` where they have none; nothing was shared or encrypted then
   */
  encrypt(
    roomId: string,
    state: RoomState,
    content: JsonObject,
    audience: Audience,
    recipient: UserId | null,
  ): Promise<JsonObject>;
  /** What the engine asks at each share and encryption. Deny by default. */
  keySharing(roomId: string): Sharing;
};

const VISIBILITIES: Readonly<Record<string, HistoryVisibility>> = {
  invited: HistoryVisibility.Invited,
  shared: HistoryVisibility.Shared,
  world_readable: HistoryVisibility.WorldReadable,
};

/** A room's key lasts a week or a hundred messages, as the specification recommends. */
const ROTATION_MS = 604_800_000n;
const ROTATION_MESSAGES = 100n;

/**
 * `engine` comes later, since it is itself made with `sharing`. The caller sees to one message at a time in a
 * room.
 */
export function createEncryptor(homeserver: HomeserverClient, engine: () => EngineClient): Encryptor {
  const currentAudience = new Map<string, Audience>();
  const lastAudience = new Map<string, Audience>();

  async function encryptNow(
    roomId: string,
    state: RoomState,
    content: JsonObject,
    audience: Audience,
    recipient: UserId | null,
  ): Promise<JsonObject> {
    const client = engine();
    const { machine } = client;
    const members = state.members('join', 'invite');
    await trackUsers(client, members);
    if (audience === 'cross-signed') {
      const answer = await fetchKeys(machine, homeserver, members);
      if (recipient !== null) await checkRecipient(client, answer, recipient);
      if (lastAudience.get(roomId) !== 'cross-signed') await machine.invalidateRoomKey(roomId);
    }
    lastAudience.delete(roomId);
    await share(machine, homeserver, roomId, members, settingsOf(state));
    const encrypted: unknown = JSON.parse(
      await machine.encryptRoomEvent(new RoomId(roomId), 'm.room.message', JSON.stringify(content)),
    );
    lastAudience.set(roomId, audience);
    if (!isJsonObject(encrypted)) throw new TypeError('the engine gave no object');
    return encrypted;
  }

  return {
    keySharing: (roomId) => (currentAudience.get(roomId) === 'every-device' ? 'devices' : 'identity'),
    async encrypt(roomId, state, content, audience, recipient) {
      currentAudience.set(roomId, audience);
      try {
        return await engine().withLock(() => encryptNow(roomId, state, content, audience, recipient));
      } finally {
        currentAudience.delete(roomId);
      }
    },
  };
}

/**
 * Who has no signed device, or an identity that took another's place, would get a message that nobody can
 * ever read.
 */
async function checkRecipient(engine: EngineClient, answer: JsonObject, recipient: UserId): Promise<void> {
  const { signedDevices, isReplaced } = toKeys(await evaluateKeys(engine, answer, recipient));
  if (isReplaced) {
    const next =
      'Make sure that they reset it themselves; then an operator confirms it with `mintwarden trust`.';
    throw new MintwardenError(
      'recipient-unusable',
      `${recipient} has another identity than the one first seen.`,
      next,
    );
  }
  if (signedDevices > 0) return;
  const next = 'They verify a session (in Element: Settings, Sessions), then try again.';
  throw new MintwardenError(
    'recipient-unusable',
    `${recipient} has no session that they have verified.`,
    next,
  );
}

async function share(
  machine: OlmMachine,
  homeserver: HomeserverClient,
  roomId: string,
  members: readonly UserId[],
  settings: EncryptionSettings,
): Promise<void> {
  const users = members.map((member) => new EngineUserId(member));
  const claim = await machine.getMissingSessions(users);
  if (claim !== null) {
    const answer = await homeserver.request('POST', path`/keys/claim`, { body: JSON.parse(claim.body) });
    await machine.markRequestAsSent(claim.id, claim.type, JSON.stringify(answer));
  }
  for (const request of await machine.shareRoomKey(new RoomId(roomId), users, settings)) {
    const [type, transactionId] = [request.eventType ?? '', request.txnId ?? request.id];
    const answer = await homeserver.request('PUT', path`/sendToDevice/${type}/${transactionId}`, {
      body: { messages: objectAt(JSON.parse(request.body), 'messages') },
    });
    await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  }
}

function settingsOf(state: RoomState): EncryptionSettings {
  const settings = new EncryptionSettings();
  settings.algorithm = EncryptionAlgorithm.MegolmV1AesSha2;
  settings.historyVisibility =
    VISIBILITIES[stringAt(state.content('m.room.history_visibility'), 'history_visibility') ?? ''] ??
    HistoryVisibility.Joined;
  settings.rotationPeriod = ROTATION_MS;
  settings.rotationPeriodMessages = ROTATION_MESSAGES;
  return settings;
}
