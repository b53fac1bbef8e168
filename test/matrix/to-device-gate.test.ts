import { expect, test } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { createContacts } from '../../src/matrix/contacts.ts';
import { toRefusal } from '../../src/matrix/homeserver-errors.ts';
import type { HomeserverClient } from '../../src/matrix/homeserver.ts';
import { createToDeviceGate, type ToDeviceRefusals } from '../../src/matrix/to-device-gate.ts';

const [BOT, ADMIN, PARTNER, EVE] = ['@bot:x', '@admin:x', '@partner:x', '@eve:x'];
const KEY = 'our-curve25519-key';
const ROOM = '!control' as RoomId;

/** An Olm message for us, as far as can be seen from outside. */
function olm(sender: string, content: object = {}): object {
  return {
    type: 'm.room.encrypted',
    sender,
    content: {
      algorithm: 'm.olm.v1.curve25519-aes-sha2',
      sender_key: 'theirs',
      ciphertext: { [KEY]: { type: 0, body: 'x' } },
      ...content,
    },
  };
}

function stage(start: { members?: string[]; state?: () => Promise<never> } = {}) {
  const members = new Set(start.members ?? [BOT, ADMIN]);
  const refused: ToDeviceRefusals[] = [];
  let [now, looks] = [0, 0];
  const homeserver = {
    request: async () => {
      looks++;
      await start.state?.();
      return { joined: Object.fromEntries([...members].map((member) => [member, {}])) };
    },
  } as unknown as HomeserverClient;
  const elapsedMs = (): number => now;
  const dms = { hasDm: async (userId: string) => userId === PARTNER };
  const contacts = createContacts({ homeserver, botId: BOT, controlRoomId: ROOM, dms, elapsedMs });
  const gate = createToDeviceGate({
    contacts,
    identityKey: KEY,
    onRefused: (each) => void refused.push(each),
    elapsedMs,
  });
  return {
    members,
    refused,
    admit: (...events: unknown[]) => gate.admit(events),
    looks: () => looks,
    pass: (ms: number) => (now += ms),
  };
}

test('Olm messages of members, of people with a DM and of the bot itself are admitted, in their order', async () => {
  const { admit, refused } = stage();
  const events = [olm(ADMIN), olm(PARTNER), olm(BOT), olm(ADMIN)];
  expect(await admit(...events)).toEqual(events);
  expect(refused).toEqual([]);
});

test('what strangers send is refused, whatever it is, with one look at the homeserver for all of it', async () => {
  const { admit, refused, looks } = stage();
  const flood = Array.from({ length: 50 }, (_, index) => olm(`@eve-${index}:x`));
  const withheld = { type: 'm.room_key.withheld', sender: EVE, content: {} };
  expect(await admit(...flood, olm(ADMIN), withheld, {}, null, 'text', { sender: 5 })).toEqual([olm(ADMIN)]);
  expect(refused).toEqual([{ strangers: 55, tooMany: 0, lastSender: '' }]);
  expect(looks()).toBe(1);
});

test.each([
  ['a key withheld', { type: 'm.room_key.withheld' }],
  ['a room key in the clear', { type: 'm.room_key' }],
  ['a forwarded room key', { type: 'm.forwarded_room_key' }],
  ['a request for a secret', { type: 'm.secret.request' }],
  ['a secret', { type: 'm.secret.send' }],
  ['a verification', { type: 'm.key.verification.request' }],
  ['Megolm', { content: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' } }],
  [
    'an Olm message for another device',
    { content: olm(ADMIN, { ciphertext: { other: { type: 0, body: 'x' } } }) },
  ],
  [
    'an Olm message without end',
    olm(ADMIN, { ciphertext: { [KEY]: { type: 0, body: 'x'.repeat(20_000) } } }),
  ],
  ['no content', { content: null }],
])('%s is of no use, not even from an admin', async (_, change) => {
  const { admit, refused } = stage();
  expect(await admit({ ...olm(ADMIN), ...change }, olm(ADMIN))).toEqual([olm(ADMIN)]);
  expect(refused).toEqual([]);
});

test('a contact who sends without end uses up their own allowance, and nobody else’s', async () => {
  const { admit, refused, pass } = stage();
  const flood = Array.from({ length: 300 }, () => olm(PARTNER));
  expect(await admit(...flood, olm(ADMIN))).toHaveLength(101);
  expect(refused).toEqual([{ strangers: 0, tooMany: 200, lastSender: PARTNER }]);
  expect(await admit(olm(PARTNER))).toEqual([]);
  pass(15_000);
  expect(await admit(...flood)).toHaveLength(3);
  pass(86_400_000);
  expect(await admit(...flood)).toHaveLength(100);
});

test('a key that comes before the news that its sender joined is admitted', async () => {
  const { admit, members, refused } = stage();
  expect(await admit(olm(ADMIN))).toHaveLength(1);
  members.add(EVE);
  expect(await admit(olm(EVE))).toHaveLength(1);
  expect(refused).toEqual([]);
});

test('somebody who left is forgotten, at the next look or after a while', async () => {
  const { admit, members, pass } = stage({ members: [BOT, ADMIN, EVE] });
  expect(await admit(olm(EVE))).toHaveLength(1);
  members.delete(EVE);
  pass(300_001);
  expect(await admit(olm(EVE))).toEqual([]);
});

test('nothing is refused for good while the homeserver cannot be asked', async () => {
  const { admit } = stage({ state: () => Promise.reject(new TypeError('away')) });
  await expect(admit(olm(ADMIN))).rejects.toThrow('away');
});

test('with the bot out of the control room there are the DMs', async () => {
  const { admit } = stage({
    state: () => Promise.reject(toRefusal({ status: 403, body: { errcode: 'M_FORBIDDEN' } })),
  });
  expect(await admit(olm(ADMIN), olm(PARTNER))).toEqual([olm(PARTNER)]);
});

test('nobody is looked up where nothing came', async () => {
  const { admit, looks } = stage();
  expect(await admit()).toEqual([]);
  expect(looks()).toBe(0);
});
