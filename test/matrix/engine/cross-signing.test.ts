import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceLists, EngineError, UserId } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { KeyServer } from './key-server.ts';
import { newFolder, Person, removeFolders } from './person.ts';

afterAll(removeFolders);

const BOT = '@bot:test';
const ALICE = '@alice:test';

describe('cross-signing', () => {
  let server: KeyServer;
  const people: Person[] = [];
  const arrives = async (userId: string, deviceId: string, folder = newFolder()): Promise<Person> => {
    const person = await Person.arrives(server, userId, deviceId, { folder });
    people.push(person);
    return person;
  };
  const own = async (person: Person) => {
    await person.learns(person.userId);
    const devices = await person.machine.getUserDevices(person.userId);
    return devices.find((device) => device.deviceId === person.deviceId);
  };

  beforeEach(() => {
    server = new KeyServer();
  });
  afterEach(async () => {
    for (const person of people.splice(0)) await person.machine.close();
  });

  it('is not there before it is made, and signs the device when it is', async () => {
    const bot = await arrives(BOT, 'BOT');
    expect(await bot.machine.crossSigningStatus()).toEqual({
      hasMaster: false,
      hasSelfSigning: false,
      hasUserSigning: false,
    });
    expect(await bot.machine.exportCrossSigningKeys()).toBeUndefined();
    expect(await bot.machine.getIdentity(BOT)).toBeUndefined();
    expect(await own(bot)).toMatchObject({ isCrossSignedByOwner: false });
    await bot.makesIdentity();
    expect(await bot.machine.crossSigningStatus()).toEqual({
      hasMaster: true,
      hasSelfSigning: true,
      hasUserSigning: true,
    });
    expect(await own(bot)).toMatchObject({
      isCrossSignedByOwner: true,
      ed25519Key: expect.stringMatching(/^.{43}$/),
    });
    expect(await bot.machine.getIdentity(BOT)).toMatchObject({ isOwn: true, isVerified: true });
  });

  it('gives the three uploads, of which the keys are left out when they are there', async () => {
    const bot = await arrives(BOT, 'BOT');
    const uploads = await bot.machine.bootstrapCrossSigning(true);
    expect(uploads.keys).toBeUndefined();
    expect(Object.keys(JSON.parse(uploads.signingKeys) as object).toSorted()).toEqual([
      'master_key',
      'self_signing_key',
      'user_signing_key',
    ]);
    expect(JSON.parse(uploads.signatures)).toHaveProperty([BOT, 'BOT']);
  });

  it('gives the same keys again when an upload was interrupted', async () => {
    const bot = await arrives(BOT, 'BOT');
    const first = await bot.machine.bootstrapCrossSigning(true);
    const again = await bot.machine.bootstrapCrossSigning(false);
    expect(masterOf(again.signingKeys)).toBe(masterOf(first.signingKeys));
  });

  it('survives a restart', async () => {
    const bot = await arrives(BOT, 'BOT');
    await bot.makesIdentity();
    const before = await bot.machine.getIdentity(BOT);
    await bot.machine.close();
    const again = await arrives(BOT, 'BOT', bot.folder);
    expect(await again.machine.getIdentity(BOT)).toEqual(before);
    expect((await again.machine.crossSigningStatus()).hasSelfSigning).toBe(true);
  });

  it('is taken over by a new device when the store was lost, and nobody is warned', async () => {
    const bot = await arrives(BOT, 'OLD');
    await bot.makesIdentity();
    const alice = await arrives(ALICE, 'PHONE');
    await alice.learns(BOT);
    const seeds = await bot.machine.exportCrossSigningKeys();
    expect(seeds).toEqual({
      master: expect.any(String),
      selfSigning: expect.any(String),
      userSigning: expect.any(String),
    });

    const recovered = await arrives(BOT, 'NEW');
    expect(await own(recovered)).toMatchObject({ isCrossSignedByOwner: false });
    await expect(recovered.machine.importCrossSigningKeys(seeds ?? {})).resolves.toMatchObject({
      hasSelfSigning: true,
    });
    server.uploadSignatures(await recovered.machine.signOwnDevice());
    server.uploadSignatures(await recovered.machine.signOwnIdentity());
    expect(await own(recovered)).toMatchObject({ isCrossSignedByOwner: true });

    await alice.learns(BOT);
    const devices = await alice.machine.getUserDevices(BOT);
    expect(
      Object.fromEntries(devices.map((device) => [device.deviceId, device.isCrossSignedByOwner])),
    ).toEqual({
      NEW: true,
      OLD: true,
    });
    expect(await alice.machine.getIdentity(BOT)).toMatchObject({ needsUserApproval: false });
  });

  it('shows when the server puts another identity in the place of the one first seen', async () => {
    const bot = await arrives(BOT, 'BOT');
    await bot.makesIdentity();
    const admin = await arrives(ALICE, 'PHONE');
    await admin.makesIdentity();
    await bot.learns(ALICE);
    const first = await bot.machine.getIdentity(ALICE);
    expect(first).toMatchObject({ isOwn: false, needsUserApproval: false });

    await admin.makesIdentity();
    await bot.learns(ALICE);
    const second = await bot.machine.getIdentity(ALICE);
    expect(second).toMatchObject({ needsUserApproval: true });
    expect(second?.masterKey).not.toBe(first?.masterKey);

    await bot.machine.pinIdentity(ALICE);
    expect(await bot.machine.getIdentity(ALICE)).toMatchObject({ needsUserApproval: false });
  });

  it('signs what it is asked to sign', async () => {
    const bot = await arrives(BOT, 'BOT');
    const signatures = (await bot.machine.sign('{"a":1}')).get(new UserId(BOT));
    expect(signatures).toHaveProperty('ed25519:BOT.isValid', true);
    expect(signatures['ed25519:BOT']?.signature?.toBase64()).toMatch(/^.{86}$/);
  });

  it('fails as an EngineError where something is not known', async () => {
    const bot = await arrives(BOT, 'BOT');
    const error: unknown = await bot.machine.pinIdentity('@nobody:test').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EngineError);
    await expect(bot.machine.getIdentity('nonsense')).rejects.toBeInstanceOf(EngineError);
    await expect(bot.machine.receiveSyncChanges('nonsense', new DeviceLists(), {})).rejects.toBeInstanceOf(
      EngineError,
    );
  });
});

function masterOf(signingKeys: string): string {
  const { master_key: master } = JSON.parse(signingKeys) as { master_key: { keys: Record<string, string> } };
  return Object.keys(master.keys).join();
}
