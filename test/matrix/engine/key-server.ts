import { RequestType, type OutgoingRequest } from '@matrix-org/matrix-sdk-crypto-nodejs';

type Json = Record<string, unknown>;
type ByDevice<T> = Map<string, Map<string, T>>;

/**
 * The part of a homeserver that keys go through (Client-Server API, "End-to-End Encryption"), in memory:
 * what is uploaded is merged and handed out as it came; to-device messages wait for their device.
 */
export class KeyServer {
  readonly #devices: ByDevice<Json> = new Map();
  readonly #oneTimeKeys: ByDevice<Map<string, unknown>> = new Map();
  readonly #inboxes: ByDevice<Json[]> = new Map();
  readonly #crossSigning = { master_keys: {}, self_signing_keys: {}, user_signing_keys: {} } as Record<
    string,
    Record<string, Json>
  >;

  /** Answers one request of `userId`'s device, as JSON. */
  answer(userId: string, deviceId: string, request: OutgoingRequest): string {
    const body = JSON.parse(request.body) as Json;
    switch (request.type) {
      case RequestType.KeysUpload:
        return JSON.stringify(this.#upload(userId, deviceId, body));
      case RequestType.KeysQuery:
        return JSON.stringify(this.#query(userId, Object.keys(body['device_keys'] as Json)));
      case RequestType.KeysClaim:
        return JSON.stringify(this.#claim(body['one_time_keys'] as Record<string, Json>));
      case RequestType.ToDevice:
        this.#send(userId, body);
        return '{}';
      case RequestType.SignatureUpload:
        this.uploadSignatures(request.body);
        return '{"failures":{}}';
      case RequestType.RoomMessage:
      case RequestType.KeysBackup:
      default:
        throw new Error(`no request of type ${request.type} is expected`);
    }
  }

  /** POST /keys/device_signing/upload */
  uploadSigningKeys(userId: string, json: string): void {
    const body = JSON.parse(json) as Record<string, Json>;
    for (const kind of ['master', 'self_signing', 'user_signing']) {
      const key = body[`${kind}_key`];
      if (key) (this.#crossSigning[`${kind}_keys`] as Json)[userId] = key;
    }
  }

  /** POST /keys/signatures/upload */
  uploadSignatures(json: string): void {
    for (const [userId, signed] of Object.entries(JSON.parse(json) as Record<string, Record<string, Json>>)) {
      for (const [id, object] of Object.entries(signed)) {
        const master = this.#crossSigning['master_keys']?.[userId];
        const isMaster = master && Object.values(master['keys'] as Json).includes(id);
        const target = isMaster ? master : this.#devices.get(userId)?.get(id);
        if (!target) throw new Error(`${id} of ${userId} is not there`);
        target['signatures'] = merge(target['signatures'] as Json, object['signatures'] as Json);
      }
    }
  }

  /** The to-device messages waiting, which are then gone. */
  takeInbox(userId: string, deviceId: string): Json[] {
    return this.#inboxes.get(userId)?.get(deviceId)?.splice(0) ?? [];
  }

  oneTimeKeyCount(userId: string, deviceId: string): number {
    return this.#oneTimeKeys.get(userId)?.get(deviceId)?.size ?? 0;
  }

  /** A server that plays false: makes a user's cross-signing identity another's word. */
  replaceIdentity(userId: string, json: string): void {
    this.uploadSigningKeys(userId, json);
  }

  #upload(userId: string, deviceId: string, body: Json): Json {
    const device = body['device_keys'] as Json | undefined;
    if (device) inner(this.#devices, userId).set(deviceId, device);
    const keys = slot(this.#oneTimeKeys, userId, deviceId, () => new Map<string, unknown>());
    for (const [id, key] of Object.entries((body['one_time_keys'] as Json | undefined) ?? {}))
      keys.set(id, key);
    return { one_time_key_counts: { signed_curve25519: keys.size } };
  }

  #query(asker: string, userIds: string[]): Json {
    const only = (kind: string, ids: string[]): Json =>
      Object.fromEntries(
        ids.flatMap((id) => (this.#crossSigning[kind]?.[id] ? [[id, this.#crossSigning[kind][id]]] : [])),
      );
    return {
      device_keys: Object.fromEntries(
        userIds.map((id) => [id, Object.fromEntries(this.#devices.get(id) ?? [])]),
      ),
      master_keys: only('master_keys', userIds),
      self_signing_keys: only('self_signing_keys', userIds),
      user_signing_keys: only(
        'user_signing_keys',
        userIds.filter((id) => id === asker),
      ),
      failures: {},
    };
  }

  #claim(wanted: Record<string, Json>): Json {
    const claimed: Record<string, Record<string, Json>> = {};
    for (const [userId, devices] of Object.entries(wanted)) {
      claimed[userId] = {};
      for (const deviceId of Object.keys(devices)) {
        const keys = this.#oneTimeKeys.get(userId)?.get(deviceId);
        const [first] = keys ?? [];
        if (!first) continue;
        keys?.delete(first[0]);
        claimed[userId][deviceId] = { [first[0]]: first[1] };
      }
    }
    return { one_time_keys: claimed, failures: {} };
  }

  #send(sender: string, body: Json): void {
    for (const [userId, devices] of Object.entries(body['messages'] as Record<string, Json>)) {
      for (const [deviceId, content] of Object.entries(devices)) {
        slot(this.#inboxes, userId, deviceId, () => [] as Json[]).push({
          sender,
          type: body['event_type'],
          content,
        });
      }
    }
  }
}

function inner<T>(map: ByDevice<T>, userId: string): Map<string, T> {
  const found = map.get(userId) ?? new Map<string, T>();
  map.set(userId, found);
  return found;
}

function slot<T>(map: ByDevice<T>, userId: string, deviceId: string, create: () => T): T {
  const devices = inner(map, userId);
  const found = devices.get(deviceId) ?? create();
  devices.set(deviceId, found);
  return found;
}

function merge(old: Json | undefined, added: Json): Json {
  const result: Json = { ...old };
  for (const [user, signatures] of Object.entries(added)) {
    result[user] = { ...(result[user] as Json | undefined), ...(signatures as Json) };
  }
  return result;
}
