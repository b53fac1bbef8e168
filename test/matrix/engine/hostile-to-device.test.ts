import { DeviceLists } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { afterAll, expect, test } from 'vitest';
import { KeyServer } from './key-server.ts';
import { Person, removeFolders } from './person.ts';

afterAll(removeFolders);

const EVE = '@eve:test';

/** Anybody with an account can send the bot these: the homeserver passes on any JSON. */
const HOSTILE: readonly unknown[] = [
  {},
  { type: 'm.room_key' },
  { type: 'm.room_key', sender: EVE },
  { type: 'm.room_key', sender: EVE, content: {} },
  {
    type: 'm.room_key',
    sender: EVE,
    content: { algorithm: 'm.megolm.v1.aes-sha2', room_id: 'x', session_id: 1, session_key: 'x' },
  },
  { type: 'm.room_key', sender: 'nobody', content: {} },
  { type: 'm.room.encrypted', sender: EVE, content: {} },
  {
    type: 'm.room.encrypted',
    sender: EVE,
    content: { algorithm: 'm.olm.v1.curve25519-aes-sha2', sender_key: 'x', ciphertext: 'x' },
  },
  {
    type: 'm.room.encrypted',
    sender: EVE,
    content: {
      algorithm: 'm.olm.v1.curve25519-aes-sha2',
      sender_key: 'A'.repeat(43),
      ciphertext: { x: { type: 9, body: '' } },
    },
  },
  {
    type: 'm.room.encrypted',
    sender: EVE,
    content: { algorithm: 'm.megolm.v1.aes-sha2', sender_key: null, ciphertext: [] },
  },
  { type: 'm.room.encrypted', sender: EVE, content: { algorithm: '\ud800', ciphertext: {} } },
  { type: 'm.dummy', sender: EVE, content: { a: '\udfff', '\ud800': 1 } },
  { type: '\ud800', sender: EVE, content: {} },
  {
    type: 'm.key.verification.request',
    sender: EVE,
    content: { from_device: 'D', methods: ['m.sas.v1'], timestamp: 1e300, transaction_id: 't' },
  },
  {
    type: 'm.key.verification.start',
    sender: EVE,
    content: { from_device: 'D', method: 'm.sas.v1', transaction_id: 't' },
  },
  {
    type: 'm.key.verification.request',
    sender: EVE,
    content: { from_device: 'D', methods: ['m.sas.v1'], timestamp: -1, transaction_id: 't2' },
  },
  {
    type: 'm.secret.request',
    sender: EVE,
    content: {
      action: 'request',
      name: 'm.cross_signing.master',
      requesting_device_id: 'D',
      request_id: 'r',
    },
  },
  { type: 'm.secret.send', sender: EVE, content: { request_id: 'r', secret: 's' } },
  {
    type: 'm.room_key_request',
    sender: EVE,
    content: {
      action: 'request',
      requesting_device_id: 'D',
      request_id: 'r',
      body: { algorithm: 'm.megolm.v1.aes-sha2', room_id: '!r:x', session_id: 's', sender_key: 'k' },
    },
  },
  { type: 'm.forwarded_room_key', sender: EVE, content: {} },
  {
    type: 'm.room_key.withheld',
    sender: EVE,
    content: {
      algorithm: 'm.megolm.v1.aes-sha2',
      code: 'm.blacklisted',
      room_id: '!room:test',
      session_id: 's',
      sender_key: 'A'.repeat(43),
    },
  },
  { type: 'm.room_key.withheld', sender: EVE, content: { code: 5 } },
  { type: 'x'.repeat(60_000), sender: EVE, content: JSON.parse(`${'{"a":'.repeat(900)}1${'}'.repeat(900)}`) },
  { type: 'm.dummy', sender: EVE, content: JSON.parse(`{"a":${'['.repeat(900)}${']'.repeat(900)}}`) },
  { type: 'm.dummy', sender: EVE, content: { big: Number.MAX_SAFE_INTEGER * 2, __proto__: { x: 1 } } },
];

test.each(HOSTILE.map((event, index) => [index, event] as const))(
  'hostile to-device event %i does not deafen the bot',
  async (_index, event) => {
    const server = new KeyServer();
    const bot = await Person.arrives(server, '@bot:test', 'BOT');
    await bot.makesIdentity();
    await bot.machine.receiveSyncChanges(
      JSON.stringify([event]),
      new DeviceLists(),
      { signed_curve25519: 50 },
      ['signed_curve25519'],
    );
    await bot.sendDue();
    expect((await bot.machine.crossSigningStatus()).hasMaster).toBe(true);
    await bot.machine.close();
  },
);
