import type { CrossSigningSeeds } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { MintwardenError } from '../domain/errors.ts';
import type { EngineClient } from './engine-client.ts';
import { objectAt, path, stringAt, type HomeserverClient, type JsonObject } from './homeserver.ts';
import { masterKeyOf, queryKeys } from './keys.ts';
import { uploadSignatures, uploadSigningKeys } from './key-uploads.ts';
import type { SeedStore } from './options.ts';

/** What is known at the start of an attempt to be cross-signed. Public keys in unpadded base64. */
export type CrossSigningState = {
  /** The master key of which the private half is in the store. */
  readonly localMasterKey: string | null;
  readonly serverMasterKey: string | null;
  readonly hasSeeds: boolean;
  /** This device is signed, by the keys the homeserver has. */
  readonly deviceSigned: boolean;
};

/** What to do about it; see `nextStep`. */
export type Step = 'nothing' | 'make' | 'upload' | 'sign' | 'import' | 'refuse-foreign' | 'refuse-lost';

/**
 * What has to be done to be cross-signed. Keys on the homeserver that are not ours are never replaced: people
 * would be warned, and should be.
 */
export function nextStep({
  localMasterKey,
  serverMasterKey,
  hasSeeds,
  deviceSigned,
}: CrossSigningState): Step {
  if (localMasterKey === null && serverMasterKey === null) return 'make'; // seeds that never reached the homeserver mean nothing to anybody
  if (localMasterKey === null) return hasSeeds ? 'import' : 'refuse-lost';
  if (serverMasterKey === null) return 'upload';
  if (localMasterKey !== serverMasterKey) return 'refuse-foreign';
  return deviceSigned ? 'nothing' : 'sign';
}

type CrossSigningContext = {
  readonly engine: EngineClient;
  readonly homeserver: HomeserverClient;
  readonly userId: string;
  readonly deviceId: string;
  readonly seeds: SeedStore;
  readonly password: () => Promise<string | null>;
};

/**
 * Makes sure that this device is signed by the account's own cross-signing keys, as the homeserver shows
 * them. Does nothing where that is so; takes up where an earlier attempt was interrupted. The seeds are saved
 * before anything made from them is uploaded.
 * @throws MintwardenError `state` where the keys on the homeserver are not ours, or the store is not this
 *   device's
 */
export async function ensureCrossSigned(context: CrossSigningContext): Promise<void> {
  const { engine, homeserver, userId, deviceId, seeds } = context;
  for (let attempt = 0; attempt < 4; attempt++) {
    const known = await queryKeys(engine, homeserver, userId);
    const localMasterKey = await readLocalMasterKey(engine);
    const serverMasterKey = masterKeyOf(known.answer, userId);
    if (localMasterKey !== null && (serverMasterKey === null || serverMasterKey === localMasterKey))
      await saveSeeds(engine, seeds);
    const stored = await seeds.load();
    const step = nextStep({
      localMasterKey,
      serverMasterKey,
      hasSeeds: stored !== null,
      deviceSigned: known.devices.some(
        (device) => device.deviceId === deviceId && device.isCrossSignedByOwner,
      ),
    });
    if (step === 'nothing') return;
    await performStep(step, context, stored);
  }
  throw new MintwardenError(
    'state',
    "The homeserver does not show the bot's device as signed, though its signature was accepted.",
  );
}

/**
 * Refuses to go on where the homeserver knows this device by other keys: the store was lost or is an old
 * copy, and to upload new keys under the same device id would make every client distrust it.
 * @param ownKey the device's ed25519 key by the store; null where there is no store yet
 * @throws MintwardenError `state`
 */
export async function ensureOwnDevice(
  context: Pick<CrossSigningContext, 'homeserver' | 'userId' | 'deviceId'>,
  ownKey: string | null,
): Promise<void> {
  // Asked past the engine, which would upload its own keys first.
  const answer = await context.homeserver.request('POST', path`/keys/query`, {
    body: { device_keys: { [context.userId]: [context.deviceId] } },
  });
  const listed = publishedDeviceKey(answer, context.userId, context.deviceId);
  if (listed === null || listed === ownKey) return;
  throw new MintwardenError(
    'state',
    `The encryption store is not the one of the bot's device ${context.deviceId}: it was lost or replaced.`,
    'Run `mintwarden init`: the bot logs in as a new device and signs it with its sealed cross-signing keys.',
  );
}

async function performStep(
  step: Exclude<Step, 'nothing'>,
  context: CrossSigningContext,
  stored: string | null,
): Promise<void> {
  const { engine, homeserver } = context;
  switch (step) {
    case 'make':
      return engine.withLock(async () => {
        await engine.machine.bootstrapCrossSigning(true);
        await saveSeeds(engine, context.seeds);
        await upload(context);
      });
    case 'upload':
      return engine.withLock(() => upload(context));
    case 'sign':
      return engine.withLock(async () => uploadSignatures(homeserver, await engine.machine.signOwnDevice()));
    case 'import':
      return engine.withLock(async () => {
        const { hasMaster, hasSelfSigning } = await engine.machine
          .importCrossSigningKeys(parseSeeds(stored))
          .catch(refuseForeignKeys);
        if (!hasMaster || !hasSelfSigning) refuseForeignKeys();
        await uploadSignatures(homeserver, await engine.machine.signOwnIdentity());
      });
    case 'refuse-lost':
    case 'refuse-foreign':
      return refuseForeignKeys();
    default:
      step satisfies never;
  }
}

function refuseForeignKeys(cause?: unknown): never {
  throw new MintwardenError(
    'state',
    'The homeserver has cross-signing keys for the bot that Mintwarden did not make or no longer has.',
    "If nobody else uses the bot's account, reset its cross-signing keys at the homeserver, remove the saved seeds and start again; people are then warned once.",
    { cause },
  );
}

/** The master key that the private keys in the store belong to. A bootstrap without reset only reads them. */
async function readLocalMasterKey(engine: EngineClient): Promise<string | null> {
  return engine.withLock(async () => {
    const status = await engine.machine.crossSigningStatus();
    if (!status.hasMaster || !status.hasSelfSigning || !status.hasUserSigning) return null;
    const { signingKeys } = await engine.machine.bootstrapCrossSigning(false);
    const value = Object.values(objectAt(objectAt(JSON.parse(signingKeys), 'master_key'), 'keys'))[0];
    return typeof value === 'string' ? value : null;
  });
}

async function saveSeeds(engine: EngineClient, seeds: SeedStore): Promise<void> {
  const exported = await engine.machine.exportCrossSigningKeys();
  if (exported === undefined)
    throw new MintwardenError('internal', 'The cross-signing keys cannot be exported.');
  const { master, selfSigning, userSigning } = exported;
  const secret = JSON.stringify({ v: 1, master, selfSigning, userSigning });
  if ((await seeds.load()) !== secret) await seeds.save(secret);
}

function parseSeeds(secret: string | null): CrossSigningSeeds {
  const value = parseJson(secret);
  const [master, selfSigning, userSigning] = ['master', 'selfSigning', 'userSigning'].map((key) =>
    stringAt(value, key),
  );
  if (master && selfSigning && userSigning) return { master, selfSigning, userSigning };
  throw new MintwardenError(
    'state',
    'The saved cross-signing seeds cannot be read.',
    'Restore them from a backup.',
  );
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null; // the error would quote the secret
  }
}

/** Only within `alone`. */
async function upload({ engine, homeserver, userId, password }: CrossSigningContext): Promise<void> {
  const { keys, signingKeys, signatures } = await engine.machine.bootstrapCrossSigning(false);
  if (keys !== undefined) {
    const answer = await homeserver.request('POST', path`/keys/upload`, { body: JSON.parse(keys.body) });
    await engine.machine.markRequestAsSent(keys.id, keys.type, JSON.stringify(answer));
  }
  await uploadSigningKeys(homeserver, JSON.parse(signingKeys), userId, password);
  await uploadSignatures(homeserver, signatures);
}

function publishedDeviceKey(answer: JsonObject, userId: string, deviceId: string): string | null {
  const listed = objectAt(objectAt(objectAt(answer, 'device_keys'), userId), deviceId);
  return stringAt(objectAt(listed, 'keys'), `ed25519:${deviceId}`);
}
