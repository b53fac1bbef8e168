import { createPublicKey, verify } from 'node:crypto';
import type { Config } from '../../config/index.ts';
import { canonicalJson } from '../../domain/audit.ts';
import { createHomeserver, path } from '../../matrix/homeserver.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

type Json = Readonly<Record<string, unknown>>;

/** The bot's own device: with keys, and signed by the bot's own identity. */
export async function checkDevice(config: Config): Promise<readonly Finding[]> {
  const homeserver = createHomeserver({ homeserverUrl: config.homeserver.url, accessToken: config.bot.access_token });
  const { user_id: botId } = config.bot;
  const { device_id: deviceId } = await homeserver.ask('GET', path`/account/whoami`);
  const answer = await homeserver.ask('POST', path`/keys/query`, { body: { device_keys: { [botId]: [] } } });
  return [judgeDevice(answer, botId, typeof deviceId === 'string' ? deviceId : '')];
}

/** The admins: with an identity that can sign their devices, without which the bot obeys none of them. */
export async function checkIdentities(config: Config): Promise<readonly Finding[]> {
  const homeserver = createHomeserver({ homeserverUrl: config.homeserver.url, accessToken: config.bot.access_token });
  const wanted = Object.fromEntries(config.admins.map((userId) => [userId, []]));
  const answer = await homeserver.ask('POST', path`/keys/query`, { body: { device_keys: wanted } });
  const without = config.admins.filter(
    (userId) => at(answer, 'master_keys', userId) === null || at(answer, 'self_signing_keys', userId) === null,
  );
  if (without.length === 0) return [ok('admin identities', 'Every admin can verify their devices.')];
  const why = 'The bot obeys commands from verified devices alone, and sends tokens to no others.';
  const mend = 'Let them set up secure backup in their client (in Element: All settings, Encryption), then verify the session they use.';
  return [warn('admin identities', `Without cross-signing: ${without.join(', ')}.`, why, mend)];
}

/** What the homeserver's answer to a key query says of the bot's device. The signatures are checked, not believed. */
export function judgeDevice(answer: Json, botId: string, deviceId: string): Finding {
  const id = 'bot device';
  const devices = at(answer, 'device_keys', botId);
  const device = at(devices, deviceId);
  if (device === null) {
    return warn(
      id,
      `The bot's device ${deviceId} has no encryption keys yet.`,
      'They are made at the first start.',
      'Run mintwarden start.',
    );
  }
  const selfSigning = at(answer, 'self_signing_keys', botId);
  const master = at(answer, 'master_keys', botId);
  const signed = isSigned(device, botId, keyOf(selfSigning)) && isSigned(selfSigning, botId, keyOf(master));
  if (signed) return ok(id, `The bot's device ${deviceId} is signed by the bot's own identity.`);
  const why = "People's clients warn about messages from it, and those that ask for verified devices do not let it read or write.";
  return fail(
    id,
    `The bot's device ${deviceId} is not signed by the bot's own identity.`,
    why,
    'Start the service: it repairs this at every start. If it cannot, its log says why.',
  );
}

/** Whether an object holds a good ed25519 signature of the user by this key (Matrix appendix 3.3, "Signing JSON"). */
function isSigned(object: Json | null, userId: string, key: string | null): boolean {
  if (object === null || key === null) return false;
  const signature = at(object, 'signatures', userId)?.[`ed25519:${key}`];
  if (typeof signature !== 'string') return false;
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object;
  const x = Buffer.from(key, 'base64').toString('base64url');
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, Buffer.from(canonicalJson(signed)), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function keyOf(crossSigningKey: Json | null): string | null {
  const keys = Object.values(at(crossSigningKey, 'keys') ?? {});
  return keys.length === 1 && typeof keys[0] === 'string' ? keys[0] : null;
}

function at(object: Json | null, ...keys: readonly string[]): Json | null {
  return keys.reduce<Json | null>((node, key) => {
    const value = node !== null && Object.hasOwn(node, key) ? node[key] : null;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  }, object);
}
