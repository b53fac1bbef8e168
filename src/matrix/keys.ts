import type { DeviceSummary, IdentitySummary, OlmMachine } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { UserId } from '@matrix-org/matrix-sdk-crypto-nodejs';
import type { Keys } from '../ports/chat.ts';
import type { EngineClient } from './engine-client.ts';
import { unreachable } from './homeserver-errors.ts';
import { isJsonObject, objectAt, path, type HomeserverClient, type JsonObject } from './homeserver.ts';

/** A user's keys as the homeserver gave them just now, and what the engine makes of them. */
export type QueriedKeys = {
  readonly answer: JsonObject;
  readonly devices: readonly DeviceSummary[];
  readonly identity: IdentitySummary | null;
};

/**
 * Asks for the user's keys now, whatever is cached. The engine keeps what it has where an answer leaves
 * something out or does not verify; what the answer no longer has is therefore dropped here.
 * @throws MintwardenError `homeserver-unreachable` where the user's own homeserver did not answer
 */
export async function queryKeys(
  engine: EngineClient,
  homeserver: HomeserverClient,
  userId: string,
): Promise<QueriedKeys> {
  const { machine } = engine;
  return engine.withLock(async () => {
    await trackUsers(engine, [userId]);
    return evaluateKeys(engine, await fetchKeys(machine, homeserver, [userId]), userId);
  });
}

/**
 * Has the engine follow the users' keys, and learn those it does not have. Asking without this is not enough:
 * it takes a user for unknown until a query of its own was answered, and waits a second for that. Only within
 * `alone`.
 */
export async function trackUsers(engine: EngineClient, userIds: readonly string[]): Promise<void> {
  await engine.machine.updateTrackedUsers(userIds.map((userId) => new UserId(userId)));
  await engine.sendOutgoingRequests();
}

/**
 * What the engine makes of a user's keys in an answer it has taken in. Throws as `queryKeys`. Only within
 * `alone`.
 */
export async function evaluateKeys(
  engine: EngineClient,
  answer: JsonObject,
  userId: string,
): Promise<QueriedKeys> {
  const { machine } = engine;
  const server = userId.slice(userId.indexOf(':') + 1);
  if (server in objectAt(answer, 'failures')) throw unreachable("the user's own homeserver does not answer");
  await engine.applyPin(userId);
  return keepCurrent(
    answer,
    userId,
    await machine.getUserDevices(userId),
    (await machine.getIdentity(userId)) ?? null,
  );
}

/** Asks for several users' keys and takes in those that came. Only within `alone`. */
export async function fetchKeys(
  machine: OlmMachine,
  homeserver: HomeserverClient,
  userIds: readonly string[],
): Promise<JsonObject> {
  const request = machine.queryKeys(userIds);
  const answer = await homeserver.request('POST', path`/keys/query`, { body: JSON.parse(request.body) });
  await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  return answer;
}

/** What of the engine's knowledge the answer bears out. */
export function keepCurrent(
  answer: JsonObject,
  userId: string,
  known: readonly DeviceSummary[],
  identity: IdentitySummary | null,
): QueriedKeys {
  const listed = objectAt(objectAt(answer, 'device_keys'), userId);
  const devices = known.filter(
    (device) =>
      !device.isDeleted &&
      !device.isDehydrated &&
      objectAt(objectAt(listed, device.deviceId), 'keys')[`ed25519:${device.deviceId}`] === device.ed25519Key,
  );
  const master = masterKeyOf(answer, userId);
  const isCurrent = identity !== null && master !== null && identity.masterKey === master;
  return {
    answer,
    devices: isCurrent ? devices : devices.map(asUnsigned),
    identity: isCurrent ? identity : null,
  };
}

/** The master key the answer names for the user, unverified; null where it has none. */
export function masterKeyOf(answer: JsonObject, userId: string): string | null {
  const key = objectAt(objectAt(answer, 'master_keys'), userId);
  const value = Object.values(isJsonObject(key) ? objectAt(key, 'keys') : {})[0];
  return typeof value === 'string' ? value : null;
}

/** The port's view of a user's keys. */
export function toKeys({ devices, identity }: QueriedKeys): Keys {
  return {
    devices: devices.length,
    signedDevices: devices.filter((device) => device.isCrossSignedByOwner).length,
    masterKey: identity?.masterKey ?? null,
    isReplaced: identity?.needsUserApproval === true,
  };
}

function asUnsigned(device: DeviceSummary): DeviceSummary {
  return { ...device, isCrossSignedByOwner: false };
}
