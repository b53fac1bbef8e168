import { createPublicKey, verify } from 'node:crypto';
import { canonicalJson } from '../domain/audit.ts';
import { arrayAt, isJsonObject, objectAt, stringAt, type JsonObject } from './homeserver.ts';

/**
 * A session that a user's identity has signed: what their client shows of it as session id and session key.
 */
export type SignedSession = { readonly deviceId: string; readonly key: string; readonly name: string | null };

/** A user's cross-signing identity as the homeserver shows it, and the sessions it vouches for. */
export type PublishedIdentity = { readonly masterKey: string; readonly sessions: readonly SignedSession[] };

/**
 * The identity in an answer to `POST /keys/query`, for a person to compare. Every signature from the master
 * key down to a session is verified here, so that real sessions cannot be shown under a master key that is
 * someone else's (Client-Server API, Cross-signing and Signing JSON). Null where there is none.
 */
export function verifyPublishedIdentity(answer: JsonObject, userId: string): PublishedIdentity | null {
  const master = keyOf(objectAt(answer, 'master_keys'), userId, 'master');
  if (master === null) return null;
  const selfSigning = keyOf(objectAt(answer, 'self_signing_keys'), userId, 'self_signing');
  if (selfSigning === null || !isSignedBy(selfSigning.object, userId, master.key))
    return { masterKey: master.key, sessions: [] };
  const devices = Object.entries(objectAt(objectAt(answer, 'device_keys'), userId));
  const sessions = devices.flatMap(([deviceId, device]): SignedSession[] => {
    const key = stringAt(objectAt(device, 'keys'), `ed25519:${deviceId}`);
    const isOwn = stringAt(device, 'user_id') === userId && stringAt(device, 'device_id') === deviceId;
    if (!isJsonObject(device) || key === null || !isOwn || !isSignedBy(device, userId, selfSigning.key))
      return [];
    return [{ deviceId, key, name: stringAt(objectAt(device, 'unsigned'), 'device_display_name') }];
  });
  return { masterKey: master.key, sessions };
}

function keyOf(
  all: JsonObject,
  userId: string,
  usage: string,
): { readonly object: JsonObject; readonly key: string } | null {
  const object = objectAt(all, userId);
  const [key, ...more] = Object.values(objectAt(object, 'keys'));
  const isOne = typeof key === 'string' && more.length === 0;
  return isOne && stringAt(object, 'user_id') === userId && arrayAt(object, 'usage').includes(usage)
    ? { object, key }
    : null;
}

function isSignedBy(object: JsonObject, userId: string, key: string): boolean {
  const signature = stringAt(objectAt(objectAt(object, 'signatures'), userId), `ed25519:${key}`);
  if (signature === null) return false;
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object;
  try {
    const x = Buffer.from(key, 'base64').toString('base64url');
    const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
    return verify(null, Buffer.from(canonicalJson(signed)), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false; // no key of this kind
  }
}
