import { createPublicKey, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { canonicalJson } from '../../domain/audit.ts';
import type { UserId } from '../../domain/ids.ts';
import { createHomeserverClient, path } from '../../matrix/homeserver.ts';
import { verifyPublishedIdentity } from '../../matrix/published-identity.ts';
import { cryptoFolder, seedsFile } from '../paths.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { initCommand, ownCommand } from './shell.ts';

type Json = Readonly<Record<string, unknown>>;

/** The bot's own device: with keys, their store here, and signed by the bot's own identity. */
export async function checkDevice(config: Config): Promise<readonly Finding[]> {
  const homeserver = createHomeserverClient({
    homeserverUrl: config.homeserver.url,
    accessToken: config.bot.access_token,
  });
  const { user_id: botId } = config.bot;
  const { device_id: deviceId } = await homeserver.request('GET', path`/account/whoami`);
  const answer = await homeserver.request('POST', path`/keys/query`, {
    body: { device_keys: { [botId]: [] } },
  });
  const findings = evaluateDevice(answer, botId, typeof deviceId === 'string' ? deviceId : '');
  const isListed = findings.every(({ id, severity }) => id !== 'bot-device' || severity === 'ok');
  const [hasStore, hasSeeds] = [existsSync(cryptoFolder(config)), existsSync(seedsFile(config))];
  const again = [initCommand(config), ownCommand(config, 'start')].join('\n');
  if (isListed && !hasStore) {
    return [
      fail(
        'bot-device',
        `The encryption store of the bot's session is lost: there is no ${cryptoFolder(config)}.`,
        hasSeeds
          ? {
              fix: 'The bot gets a new session and signs it with its saved identity; run init with the service stopped:',
              command: again,
            }
          : {
              fix: 'Bring the saved identity back from a backup of the folder with the sealing key first; then run init with the service stopped, and start it:',
              command: again,
            },
      ),
    ];
  }
  return findings.map((finding) =>
    finding.severity === 'warn' ? { ...finding, command: ownCommand(config, 'start') } : finding,
  );
}

/** The admins: with an identity that can sign their devices, without which the bot obeys none of them. */
export async function checkIdentities(
  config: Config,
  pinnedKey: ((userId: UserId) => Promise<string | null>) | null,
): Promise<readonly Finding[]> {
  const homeserver = createHomeserverClient({
    homeserverUrl: config.homeserver.url,
    accessToken: config.bot.access_token,
  });
  const wanted = Object.fromEntries(config.admins.map((userId) => [userId, []]));
  const answer = await homeserver.request('POST', path`/keys/query`, { body: { device_keys: wanted } });
  const without = config.admins.filter(
    (userId) =>
      at(answer, 'master_keys', userId) === null || at(answer, 'self_signing_keys', userId) === null,
  );
  const identities =
    without.length === 0
      ? ok('admin-identities', 'Every admin can verify their devices.')
      : warn('admin-identities', `Without cross-signing: ${without.join(', ')}.`);
  if (pinnedKey === null) return [identities];
  const replaced: UserId[] = [];
  for (const userId of config.admins) {
    const [pinned, shown] = [
      await pinnedKey(userId),
      verifyPublishedIdentity(answer, userId)?.masterKey ?? null,
    ];
    if (pinned !== null && shown !== null && pinned !== shown) replaced.push(userId);
  }
  const command = replaced.map((userId) => ownCommand(config, `trust ${userId}`)).join('\n');
  return [
    identities,
    replaced.length === 0
      ? ok('admin-pins', "Every admin's identity is the one first seen.")
      : fail(
          'admin-pins',
          `The homeserver shows another identity than the one first seen, and nobody has confirmed it: ${replaced.join(', ')}.`,
          { command },
        ),
  ];
}

/**
 * What the homeserver's answer to a key query says of the bot's device. The signatures are checked, not
 * believed.
 */
export function evaluateDevice(answer: Json, botId: string, deviceId: string): readonly Finding[] {
  const devices = at(answer, 'device_keys', botId);
  const device = at(devices, deviceId);
  if (device === null) {
    return [
      warn('bot-device', `The bot's session ${deviceId} has no encryption keys yet.`, {
        fix: 'They are made when the service starts.',
      }),
    ];
  }
  const listed = ok('bot-device', `The keys of the bot's session ${deviceId} are at the homeserver.`);
  const selfSigning = at(answer, 'self_signing_keys', botId);
  const master = at(answer, 'master_keys', botId);
  const signed = isSigned(device, botId, keyOf(selfSigning)) && isSigned(selfSigning, botId, keyOf(master));
  return [
    listed,
    signed
      ? ok('bot-device-signed', "It is signed by the bot's own identity.")
      : fail('bot-device-signed', `The bot's session ${deviceId} is not signed by the bot's own identity.`),
  ];
}

/**
 * Whether an object holds a good ed25519 signature of the user by this key (Matrix appendix 3.3, "Signing
 * JSON").
 */
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
