import {
  configureEngine,
  RequestType,
  StoreType,
  type OlmMachine,
} from '@matrix-org/matrix-sdk-crypto-nodejs';
import * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';
import {
  EncryptedRoomEvent,
  LogLevel,
  LogService,
  MatrixClient,
  MemoryStorageProvider,
  RustSdkCryptoStorageProvider,
} from 'matrix-bot-sdk';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startHomeServer, type HomeServer } from './home-server.ts';
import { newFolder, Person, ROOM, STORE_KEY, removeFolders } from './person.ts';

afterAll(removeFolders);

const BOT = '@bot:test';
const ALICE = '@alice:test';

LogService.setLevel(LogLevel.ERROR);

let home: HomeServer;
let client: MatrixClient;
let alice: Person;

const machine = (): OlmMachine =>
  (client.crypto as unknown as { engine: { machine: OlmMachine } }).engine.machine;

beforeEach(async () => {
  home = await startHomeServer(BOT, 'BOT', [BOT, ALICE]);
  const folder = newFolder();
  configureEngine(folder, {
    storeKey: STORE_KEY,
    sharingStrategy: () => 'devices',
    trustRequirement: () => 'any',
  });
  const store = new RustSdkCryptoStorageProvider(folder, StoreType.Sqlite);
  client = new MatrixClient(home.url, 'token', new MemoryStorageProvider(), store);
  await client.crypto.prepare([ROOM]);
  alice = await Person.arrives(home.keys, ALICE, 'PHONE', {
    sharingStrategy: () => 'devices',
    trustRequirement: () => 'any',
  });
  await alice.learns(BOT);
});
afterEach(async () => {
  await machine().close();
  await alice.machine.close();
  await home[Symbol.asyncDispose]();
});

it('starts matrix-bot-sdk encrypted', () => {
  expect(client.crypto.isReady).toBe(true);
  expect(client.crypto.clientDeviceEd25519).toMatch(/^.{43}$/);
  expect(home.keys.oneTimeKeyCount(BOT, 'BOT')).toBeGreaterThan(0);
});

it('encrypts what matrix-bot-sdk sends, within a second', async () => {
  const startedAt = Date.now();
  await client.sendMessage(ROOM, { msgtype: 'm.text', body: 'from the bot' });
  expect(Date.now() - startedAt).toBeLessThan(1000); // the engine waits 5 s for a key query whose answer it missed
  expect(home.sent).toHaveLength(1);
  expect(home.sent[0]?.type).toBe('m.room.encrypted');
  expect(JSON.stringify(home.sent)).not.toContain('from the bot');
  await alice.sync();
  const event = JSON.stringify({
    ...home.sent[0],
    event_id: '$1',
    room_id: ROOM,
    sender: BOT,
    origin_server_ts: 1,
  });
  expect(await alice.reads(event)).toMatchObject({
    text: 'from the bot',
    info: { sender: BOT, senderDevice: 'BOT' },
  });
});

it('decrypts what matrix-bot-sdk receives', async () => {
  await alice.shares([BOT]);
  const event = JSON.parse(await alice.says('from alice')) as Record<string, unknown>;
  await client.crypto.updateSyncData(home.keys.takeInbox(BOT, 'BOT') as never, {}, [], [], []);
  const clear = await client.crypto.decryptRoomEvent(new EncryptedRoomEvent(event), ROOM);
  expect(clear.raw).toMatchObject({ type: 'm.room.message', sender: ALICE, content: { body: 'from alice' } });
});

it('signs and encrypts files as matrix-bot-sdk asks', async () => {
  const signatures = await client.crypto.sign({ a: 1 });
  expect(signatures).toEqual({ [BOT]: { 'ed25519:BOT': expect.stringMatching(/^.{86}$/) } });

  const plain = Buffer.from('a file of the bot');
  const { buffer, file } = await client.crypto.encryptMedia(plain);
  expect(buffer).toHaveLength(plain.length);
  expect(buffer.equals(plain)).toBe(false);
  expect(file).toMatchObject({ v: 'v2', key: { alg: 'A256CTR' }, hashes: { sha256: expect.any(String) } });

  client.downloadContent = () => Promise.resolve({ data: buffer, contentType: 'x' });
  expect(await client.crypto.decryptMedia({ ...file, url: 'mxc://test/1' })).toEqual(plain);

  buffer[0] = (buffer[0] ?? 0) ^ 1;
  await expect(client.crypto.decryptMedia({ ...file, url: 'mxc://test/1' })).rejects.toMatchObject({
    code: 'engine',
  });
});

it('holds signature uploads back from matrix-bot-sdk, which would throw at them', async () => {
  const upload = new wasm.SignatureUploadRequest('upload', '{}');
  const { value: real } = Object.getOwnPropertyDescriptor(wasm.OlmMachine.prototype, 'outgoingRequests') as {
    value: () => ReturnType<wasm.OlmMachine['outgoingRequests']>;
  };
  const due = vi.spyOn(wasm.OlmMachine.prototype, 'outgoingRequests').mockImplementationOnce(async function (
    this: wasm.OlmMachine,
  ) {
    return [upload, ...(await real.call(this))];
  });
  await client.sendMessage(ROOM, { msgtype: 'm.text', body: 'still works' });
  due.mockRestore();
  expect(home.sent).toHaveLength(1);

  const [held, ...more] = machine().pendingSignatureUploads();
  expect(held).toMatchObject({ id: 'upload', type: RequestType.SignatureUpload, body: expect.any(String) });
  expect(more).toEqual([]);
  await machine().markRequestAsSent('upload', RequestType.SignatureUpload, '{"failures":{}}');
  expect(machine().pendingSignatureUploads()).toEqual([]);
});

it('does not hold up the sync for five seconds at each new member', async () => {
  const startedAt = Date.now();
  const event = {
    type: 'm.room.member',
    state_key: '@new:test',
    content: { membership: 'invite' },
    sender: ALICE,
  };
  await client.crypto.onRoomEvent(ROOM, event);
  await client.crypto.updateSyncData([], {}, [], [BOT, '@other:test'], []);
  await client.sendMessage(ROOM, { msgtype: 'm.text', body: 'hi' });
  expect(Date.now() - startedAt).toBeLessThan(1000);
  await alice.sync();
  const sent = JSON.stringify({
    ...home.sent[0],
    event_id: '$2',
    room_id: ROOM,
    sender: BOT,
    origin_server_ts: 1,
  });
  expect((await alice.reads(sent)).text).toBe('hi');
});
