import { DatabaseSync } from 'node:sqlite';
import { DeviceLists, EncryptionSettings } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { afterAll, describe, expect, it } from 'vitest';
import { KeyServer } from './key-server.ts';
import { Person, removeFolders, ROOM } from './person.ts';

afterAll(removeFolders);

const [BOT, EVE] = ['@bot:test', '@eve:test'];

/** How many rows a store of the engine has on disk, of a machine that is closed. */
function rowsIn({ folder }: Person, store: string): number {
  const sql = new DatabaseSync(`${folder}/engine.sqlite`, { readOnly: true });
  try {
    return Number(sql.prepare('SELECT count(*) AS n FROM records WHERE store = ?').get(store)?.['n']);
  } finally {
    sql.close();
  }
}

async function botAndEve(keepsRoomKeys?: (roomId: string) => Promise<boolean>) {
  const server = new KeyServer();
  const bot = await Person.arrives(server, BOT, 'BOT', {
    ...(keepsRoomKeys !== undefined && { keepsRoomKeys }),
  });
  const eve = await Person.arrives(server, EVE, 'EVE');
  await bot.makesIdentity();
  await eve.makesIdentity();
  await bot.learns(EVE);
  /** Has Eve make a new key for the room and send it to the bot, which may not have taken it in yet. */
  const newKey = async (roomId: string): Promise<void> => {
    await eve.machine.invalidateRoomKey(roomId);
    await eve.shares([BOT], new EncryptionSettings(), roomId);
  };
  return { server, bot, eve, newKey };
}

describe('what the encryption store keeps of what others send', () => {
  it('no keys of rooms that the bot has nothing to do with', async () => {
    const { bot, eve, newKey } = await botAndEve(async (roomId) => roomId === ROOM);
    await newKey(ROOM);
    const event = await eve.says('hello');
    for (let index = 0; index < 12; index++) await newKey(`!nowhere-${index}:test`);
    await bot.sync();
    expect((await bot.reads(event)).text).toBe('hello');
    await bot.machine.close();
    expect(rowsIn(bot, 'inbound_group_sessions3')).toBe(1);
  });

  it('none of rooms that it has left since, nor any that came before there was a rule', async () => {
    const { bot, eve, newKey } = await botAndEve();
    for (const roomId of ['!left:test', '!left:test', '!nowhere:test', ROOM]) await newKey(roomId);
    const event = await eve.says('hello');
    await bot.sync();
    expect(await bot.machine.keepRoomKeysOf([ROOM, '!unused:test'])).toBe(3);
    expect(await bot.machine.keepRoomKeysOf([ROOM, '!unused:test'])).toBe(0);
    expect((await bot.reads(event)).text).toBe('hello');
    await bot.machine.close();
    expect(rowsIn(bot, 'inbound_group_sessions3')).toBe(1);
    const again = await Person.arrives(new KeyServer(), BOT, 'BOT', { folder: bot.folder });
    expect((await again.reads(event)).text).toBe('hello');
    await again.machine.close();
  });

  it('of one device the newest, however many it sends', async () => {
    const { bot, eve, newKey } = await botAndEve();
    await newKey(ROOM);
    const first = await eve.says('first');
    for (let index = 0; index < 60; index++) {
      await newKey(ROOM);
      await bot.sync();
    }
    expect((await bot.reads(await eve.says('last'))).text).toBe('last');
    await expect(bot.reads(first)).rejects.toMatchObject({ reason: 'missing-room-key' });
    await bot.machine.close();
    expect(rowsIn(bot, 'inbound_group_sessions3')).toBe(20);
    expect(rowsIn(bot, 'olm_hashes')).toBeLessThanOrEqual(50);
  });

  it('what was there at the start stays until its device has sent as much again', async () => {
    const { server, bot, eve, newKey } = await botAndEve();
    const events: string[] = [];
    for (let index = 0; index < 5; index++) {
      await newKey(ROOM);
      events.push(await eve.says(`old ${index}`));
    }
    await bot.sync();
    await bot.machine.close();
    const again = await Person.arrives(server, BOT, 'BOT', { folder: bot.folder });
    await newKey(ROOM);
    await again.sync();
    for (const event of events) expect((await again.reads(event)).text).toMatch(/^old/);
    await again.machine.close();
  });

  it('no word of keys withheld, nor of anything else that is not used', async () => {
    const { bot } = await botAndEve();
    const withheld = Array.from({ length: 30 }, (_, index) => ({
      type: 'm.room_key.withheld',
      sender: EVE,
      content: {
        algorithm: 'm.megolm.v1.aes-sha2',
        code: 'm.blacklisted',
        room_id: `!room-${index}:test`,
        session_id: `s${index}`,
        sender_key: 'A'.repeat(43),
      },
    }));
    await bot.machine.receiveSyncChanges(JSON.stringify(withheld), new DeviceLists(), {});
    await bot.machine.close();
    expect(rowsIn(bot, 'withheld_sessions')).toBe(0);
  });
});
