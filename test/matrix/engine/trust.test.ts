import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DeviceLists,
  EncryptionSettings,
  RoomId,
  type Sharing,
  type TrustLevel,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import { KeyServer } from './key-server.ts';
import { Person, ROOM, removeFolders } from './person.ts';

afterAll(removeFolders);

const BOT = '@bot:test';
const ALICE = '@alice:test';

describe('what the bot says', () => {
  let server: KeyServer;
  let sharing: Sharing;
  let bot: Person;
  let signed: Person;
  let unsigned: Person;

  beforeEach(async () => {
    server = new KeyServer();
    sharing = 'identity';
    bot = await Person.arrives(server, BOT, 'BOT', { sharingStrategy: () => sharing });
    await bot.makesIdentity();
    signed = await Person.arrives(server, ALICE, 'SIGNED');
    await signed.makesIdentity();
    unsigned = await Person.arrives(server, ALICE, 'UNSIGNED');
    await signed.learns(BOT);
    await unsigned.learns(BOT);
  });
  afterEach(async () => {
    for (const person of [bot, signed, unsigned]) await person.machine.close();
  });

  it('can be read on a signed device, by whose owner the bot is seen as cross-signed', async () => {
    await bot.shares([ALICE]);
    const event = await bot.says('the token');
    await signed.sync();
    const { text, info } = await signed.reads(event);
    expect(text).toBe('the token');
    expect(info).toMatchObject({
      sender: BOT,
      senderDevice: 'BOT',
      trust: 'cross-signed',
      isForwarded: false,
      roomId: ROOM,
      messageIndex: 0,
    });
    expect((await signed.reads(await bot.says('again'))).info).toMatchObject({
      messageIndex: 1,
      sessionId: info.sessionId,
    });
  });

  it('cannot be read on a device its owner has not signed, when it is for identities', async () => {
    await bot.shares([ALICE]);
    const event = await bot.says('the token');
    await unsigned.sync();
    await expect(unsigned.reads(event)).rejects.toMatchObject({ name: 'EngineError', code: 'undecryptable' });
  });

  it('can be read on every device when it is for devices', async () => {
    sharing = 'devices';
    await bot.shares([ALICE]);
    const event = await bot.says('a notice');
    await unsigned.sync();
    expect((await unsigned.reads(event)).text).toBe('a notice');
  });

  it('gets a new key when a secret follows a notice in one room', async () => {
    sharing = 'devices';
    await bot.shares([ALICE]);
    const notice = await bot.says('a notice');
    sharing = 'identity';
    await bot.shares([ALICE]);
    const secret = await bot.says('the token');
    await signed.sync();
    await unsigned.sync();
    expect((await unsigned.reads(notice)).text).toBe('a notice');
    await expect(unsigned.reads(secret)).rejects.toMatchObject({ code: 'undecryptable' });
    expect((await signed.reads(secret)).text).toBe('the token');
  });

  it('is not encrypted as a secret with a key that was shared with all devices', async () => {
    sharing = 'devices';
    await bot.shares([ALICE]);
    sharing = 'identity';
    await expect(bot.says('the token')).rejects.toMatchObject({ code: 'unsafe-share' });
  });

  it('is not encrypted as a secret with a key of unknown reach, after a restart', async () => {
    sharing = 'devices';
    await bot.shares([ALICE]);
    await bot.machine.close();
    sharing = 'identity';
    bot = await Person.arrives(server, BOT, 'BOT', { folder: bot.folder, sharingStrategy: () => sharing });
    await expect(bot.says('the token')).rejects.toMatchObject({ code: 'unsafe-share' });
    await bot.shares([ALICE]);
    const secret = await bot.says('the token');
    await unsigned.sync();
    await expect(unsigned.reads(secret)).rejects.toMatchObject({ code: 'undecryptable' });
  });

  it('is kept from an identity that took the place of the first, until that is accepted', async () => {
    await bot.shares([ALICE]);
    const impostor = unsigned;
    await impostor.makesIdentity(); // as whoever runs the homeserver can
    await bot.shares([ALICE]);
    const secret = await bot.says('the token');
    await impostor.sync();
    await expect(impostor.reads(secret)).rejects.toMatchObject({ code: 'undecryptable' });

    await bot.machine.pinIdentity(ALICE);
    await bot.shares([ALICE]);
    await impostor.sync();
    expect((await impostor.reads(await bot.says('another token'))).text).toBe('another token');
  });

  it('asks for a new key, rather than end the process, when messages meet at the last use of one', async () => {
    const settings = new EncryptionSettings();
    settings.rotationPeriodMessages = 2n;
    await bot.shares([ALICE], settings);
    await bot.shares([ALICE], settings);
    const outcomes = await Promise.allSettled([bot.says('one'), bot.says('two'), bot.says('three')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(outcomes[2]).toMatchObject({ reason: { code: 'room-key-used-up' } });
    await bot.shares([ALICE], settings);
    await signed.sync();
    expect((await signed.reads(await bot.says('three'))).info.messageIndex).toBe(0);
  });

  it('gets a new key in time after a restart, too', async () => {
    const settings = new EncryptionSettings();
    settings.rotationPeriodMessages = 2n;
    await bot.shares([ALICE], settings);
    await bot.says('one');
    await bot.machine.close();
    bot = await Person.arrives(server, BOT, 'BOT', { folder: bot.folder });
    await bot.shares([ALICE], settings);
    await bot.says('two');
    await expect(bot.says('three')).rejects.toMatchObject({ code: 'room-key-used-up' });
  });

  it('uses a room key for as long as the room asks, in milliseconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const settings = new EncryptionSettings();
      settings.rotationPeriod = BigInt(7 * 24 * 3600 * 1000);
      settings.rotationPeriodMessages = 1000n;
      const session = async (): Promise<string> => {
        await bot.shares([ALICE], settings);
        return (JSON.parse(await bot.says('hi')) as { content: { session_id: string } }).content.session_id;
      };
      const first = await session();
      vi.setSystemTime(Date.now() + 6 * 24 * 3600 * 1000);
      expect(await session()).toBe(first);
      vi.setSystemTime(Date.now() + 2 * 24 * 3600 * 1000);
      expect(await session()).not.toBe(first);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what the bot is told', () => {
  let server: KeyServer;
  let trust: TrustLevel;
  let bot: Person;
  let admin: Person;

  beforeEach(async () => {
    server = new KeyServer();
    trust = 'cross-signed';
    bot = await Person.arrives(server, BOT, 'BOT', { trustRequirement: () => trust });
    await bot.makesIdentity();
    admin = await Person.arrives(server, ALICE, 'PHONE', { sharingStrategy: () => 'devices' });
  });
  afterEach(async () => {
    await bot.machine.close();
    await admin.machine.close();
  });

  it('counts from a signed device', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const command = await admin.says('!mint');
    await bot.sync();
    const { text, info } = await bot.reads(command);
    expect(text).toBe('!mint');
    expect(info).toMatchObject({
      sender: ALICE,
      senderDevice: 'PHONE',
      trust: 'cross-signed',
      messageIndex: 0,
    });
  });

  it('is refused from an unsigned device, unless the room takes it', async () => {
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const command = await admin.says('!revoke');
    await bot.sync();
    await expect(bot.reads(command)).rejects.toMatchObject({
      code: 'undecryptable',
      reason: 'unsigned-sender-device',
    });
    trust = 'any';
    expect(await bot.reads(command)).toMatchObject({ text: '!revoke', info: { trust: 'unsigned-device' } });
  });

  it('is refused from an identity that took the place of the first, until that is accepted', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.makesIdentity(); // as whoever runs the homeserver can, with a device of theirs
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const command = await admin.says('!mint');
    await bot.sync();
    await expect(bot.reads(command)).rejects.toMatchObject({ reason: 'sender-identity-changed' });
    trust = 'any';
    expect((await bot.reads(command)).info.trust).toBe('identity-changed');
    trust = 'cross-signed';
    await bot.machine.pinIdentity(ALICE);
    expect((await bot.reads(command)).info.trust).toBe('cross-signed');
  });

  it('is refused when the server puts another name to it', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const event = JSON.parse(await admin.says('!mint')) as Record<string, unknown>;
    await bot.sync();
    const forged = JSON.stringify({ ...event, sender: '@root:test' });
    for (const level of ['cross-signed', 'any'] as const) {
      trust = level;
      await expect(bot.reads(forged)).rejects.toMatchObject({
        code: 'undecryptable',
        reason: 'mismatched-sender',
      });
    }
  });

  it('is refused in another room than it was said in', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const command = await admin.says('!mint');
    await bot.sync();
    await expect(bot.reads(command, '!other:test')).rejects.toMatchObject({ code: 'undecryptable' });
  });

  it('is refused when the ciphertext was touched', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.shares([BOT]);
    const event = JSON.parse(await admin.says('!mint')) as { content: { ciphertext: string } };
    await bot.sync();
    const bytes = Buffer.from(event.content.ciphertext, 'base64');
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    event.content.ciphertext = bytes.toString('base64').replaceAll('=', '');
    const error: unknown = await bot.reads(JSON.stringify(event)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'undecryptable' });
    expect((error as Error).message).not.toContain('[object');
  });

  it('shows a room key it never got as missing', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    await admin.shares([ALICE]);
    await expect(bot.reads(await admin.says('!mint'))).rejects.toMatchObject({ reason: 'missing-room-key' });
  });

  it('takes no room key that came unencrypted', async () => {
    const planted = {
      sender: ALICE,
      type: 'm.room_key',
      content: { algorithm: 'm.megolm.v1.aes-sha2', room_id: ROOM, session_id: 'x', session_key: 'y' },
    };
    const seen = await bot.machine.receiveSyncChanges(JSON.stringify([planted]), new DeviceLists(), {}, []);
    expect(JSON.parse(seen)).toEqual([]);
  });

  it('names rooms whose id has no server part', async () => {
    await admin.makesIdentity();
    await bot.learns(ALICE);
    const room = '!_dDn1kut5YSer-wBSxyz0123456789abcdefghijkl';
    await admin.shares([BOT], undefined, room);
    const command = await admin.says('!mint', room);
    await bot.sync();
    expect((await bot.reads(command, room)).info.roomId).toBe(room);
    expect(new RoomId(room).toString()).toBe(room);
  });
});
