import { expect, test } from 'vitest';
import type { RoomId, UserId } from '../../../src/domain/ids.ts';
import type { Audience } from '../../../src/ports/chat.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { ratchetUses, roomEvents } from '../../harness/megolm.ts';
import { startNioClient } from '../../harness/nio-client.ts';
import { cut, startProxy } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { newBot, text } from './bot.ts';

function sending(
  id: string,
  audience: Audience = 'cross-signed',
  expected: 'encrypted' | 'plain' = 'encrypted',
) {
  return { transactionId: id, marker: id, expect: expected, audience };
}

test('a token reaches signed devices only, even where an unsigned one was given the key before it', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('alice');
  await using signed = await startJsClient(synapse, user);
  await using unsigned = await startJsClient(synapse, user, { crossSigned: false });
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(signed.userId as UserId, { reason: 'r', encrypted: true });
  await signed.join(dm.roomId);
  expect(await chat.keys(signed.userId as UserId)).toMatchObject({ devices: 2, signedDevices: 1 });

  const notice = await chat.send(dm.roomId, text('a notice'), sending('n1', 'every-device'));
  const token = await chat.send(dm.roomId, text('mwt_token'), sending('t1'));
  const later = await chat.send(dm.roomId, text('another notice'), sending('n2', 'every-device'));

  for (const eventId of [notice, token, later]) {
    expect(
      await signed.waitForMessage((m) => m.eventId === eventId && m.undecryptable === null),
    ).toMatchObject({ wasEncrypted: true });
  }
  for (const eventId of [notice, later]) {
    await unsigned.waitForMessage((m) => m.eventId === eventId && m.undecryptable === null);
  }
  expect(await unsigned.waitForMessage((m) => m.eventId === token)).toMatchObject({
    type: 'm.room.encrypted',
    undecryptable: expect.any(String),
  });
  const [first, second] = await Promise.all(
    [notice, token].map((eventId) => signed.wireEvent(dm.roomId, eventId)),
  );
  expect(sessionOf(first)).not.toBe(sessionOf(second));
});

test('nothing is sent to someone who has no signed device', async () => {
  const synapse = sharedSynapse();
  await using bob = await startNioClient(synapse, await synapse.uniqueUser('bob'), { crossSigned: false });
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(bob.userId as UserId, { reason: 'r', encrypted: true });
  await bob.join(dm.roomId);
  expect(await chat.keys(bob.userId as UserId)).toEqual({
    devices: 1,
    signedDevices: 0,
    masterKey: null,
    isReplaced: false,
  });
  await expect(chat.send(dm.roomId, text('mwt_token'), sending('t1'))).rejects.toMatchObject({
    code: 'recipient-unusable',
  });
  const notice = await chat.send(dm.roomId, text('a notice'), sending('n1', 'every-device'));
  expect(await bob.waitForMessage((m) => m.eventId === notice)).toMatchObject({
    wasEncrypted: true,
    content: { body: 'a notice' },
  });
  expect(await chat.findByMarker(dm.roomId, 't1', 0)).toBeNull();
});

test('plaintext is never sent where encryption was expected, nor a token in the clear, nor anything unexpected', async () => {
  const synapse = sharedSynapse();
  const carol = await synapse.uniqueUser('carol');
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(carol.userId as UserId, { reason: 'r', encrypted: false });
  expect(dm).toMatchObject({ encrypted: false, membership: 'invite' });
  await expect(chat.send(dm.roomId, text('mwt_token'), sending('t1'))).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(
    chat.send(dm.roomId, text('mwt_token'), sending('t2', 'cross-signed', 'plain')),
  ).rejects.toMatchObject({ code: 'internal' });
  const plain = await chat.send(dm.roomId, text('a notice'), sending('n1', 'every-device', 'plain'));
  expect(await chat.findByMarker(dm.roomId, 'n1', 0)).toBe(plain);

  expect(await chat.openDm(carol.userId as UserId, { reason: 'r', encrypted: true })).toMatchObject({
    roomId: dm.roomId,
    encrypted: true,
  });
  await expect(
    chat.send(dm.roomId, text('a notice'), sending('n2', 'every-device', 'plain')),
  ).rejects.toMatchObject({ code: 'conflict' });
  await expect(
    chat.send(dm.roomId, text('x'.repeat(70_000)), sending('n3', 'every-device')),
  ).rejects.toMatchObject({
    code: 'homeserver-refused',
    message: expect.stringContaining('too long'),
  });
  await expect(chat.send('!nowhere:test.local' as RoomId, text('x'), sending('n4'))).rejects.toMatchObject({
    code: 'homeserver-refused',
  });
});

test('what is too long for Matrix is refused before a step of the ratchet is used up', async () => {
  const synapse = sharedSynapse();
  const carol = await synapse.uniqueUser('carol');
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(carol.userId as UserId, { reason: 'r', encrypted: true });
  const first = await chat.send(dm.roomId, text('one'), sending('n1', 'every-device'));
  await expect(
    chat.send(dm.roomId, text('x'.repeat(70_000)), sending('n-long', 'every-device')),
  ).rejects.toMatchObject({ code: 'homeserver-refused', message: expect.stringContaining('too long') });
  const last = await chat.send(dm.roomId, text('two'), sending('n2', 'every-device'));
  const events = await roomEvents(synapse.baseUrl, bot.options.accessToken, dm.roomId);
  const uses = ratchetUses(events).filter(({ eventId }) => eventId === first || eventId === last);
  expect(uses.map(({ index }) => index)).toEqual([0, 1]);
});

test('a DM that somebody else was brought into gets no token', async () => {
  const synapse = sharedSynapse();
  const mallory = await synapse.uniqueUser('mallory');
  await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });
  await alice.join(dm.roomId);
  await expect(alice.invite(dm.roomId, mallory.userId)).rejects.toThrow(/M_FORBIDDEN|403/);
  await expect(alice.setState(dm.roomId, 'm.room.topic', { topic: 'mine' })).rejects.toThrow(
    /M_FORBIDDEN|403/,
  );
  await expect(
    alice.setState(dm.roomId, 'm.room.power_levels', { users: { [alice.userId]: 100 } }),
  ).rejects.toThrow(/M_FORBIDDEN|403/);
  await matrixRequest(
    synapse.baseUrl,
    'POST',
    `/_matrix/client/v3/rooms/${encodeURIComponent(dm.roomId)}/invite`,
    {
      token: bot.options.accessToken,
      body: { user_id: mallory.userId },
    },
  );
  expect(await chat.dm(alice.userId as UserId)).toMatchObject({ justTheTwo: false });
  await expect(chat.send(dm.roomId, text('mwt_token'), sending('t1'))).rejects.toMatchObject({
    code: 'room-unusable',
  });
});

test('a connection that breaks anywhere in a send costs nothing but a second try', async () => {
  const synapse = sharedSynapse();
  await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start({ homeserverUrl: proxy.baseUrl });
  const dm = await chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });
  await alice.join(dm.roomId);
  const places = [
    ['GET', '/state', 'before'],
    ['POST', '/keys/query', 'after'],
    ['POST', '/keys/claim', 'before'],
    ['PUT', '/sendToDevice/', 'before'],
    ['PUT', '/sendToDevice/', 'after'],
    ['PUT', '/send/m.room.encrypted/', 'before'],
    ['PUT', '/send/m.room.encrypted/', 'after'],
  ] as const;
  for (const [index, [method, path, side]] of places.entries()) {
    const id = `t${index}`;
    const struck = proxy.on({ method, path }, cut(side), { times: 1 });
    const first = await chat.send(dm.roomId, text(id), sending(id)).catch((error: unknown) => error);
    if (struck.hits > 0) expect(first).toMatchObject({ code: 'homeserver-unreachable' });
    const eventId = await chat.send(dm.roomId, text(id), sending(id));
    expect(await chat.findByMarker(dm.roomId, id, 0)).toBe(eventId);
    await alice.waitForMessage(
      (m) => m.eventId === eventId && m.undecryptable === null && m.content['body'] === id,
    );
    struck.remove();
  }
  expect(alice.timeline(dm.roomId).filter((m) => m.wasEncrypted).length).toBe(places.length);
});

test('what was read is known, and what is redacted is gone', async () => {
  const synapse = sharedSynapse();
  await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
  await using bot = await newBot(synapse, []);
  const { chat } = await bot.start();
  const dm = await chat.openDm(alice.userId as UserId, { reason: 'r', encrypted: true });
  await alice.join(dm.roomId);
  const first = await chat.send(dm.roomId, text('one'), sending('n1'));
  const second = await chat.send(dm.roomId, text('two'), sending('n2'));
  expect(await chat.hasRead(dm.roomId, first, alice.userId as UserId)).toBe(false);
  const receipt = `/_matrix/client/v3/rooms/${encodeURIComponent(dm.roomId)}/receipt/m.read/`;
  await matrixRequest(synapse.baseUrl, 'POST', receipt + encodeURIComponent(first), {
    token: alice.accessToken,
    body: {},
  });
  expect(await chat.hasRead(dm.roomId, first, alice.userId as UserId)).toBe(true);
  expect(await chat.hasRead(dm.roomId, second, alice.userId as UserId)).toBe(false);
  await matrixRequest(synapse.baseUrl, 'POST', receipt + encodeURIComponent(second), {
    token: alice.accessToken,
    body: {},
  });
  expect(await chat.hasRead(dm.roomId, first, alice.userId as UserId)).toBe(true);
  expect(await chat.hasRead(dm.roomId, second, alice.userId as UserId)).toBe(true);

  await chat.redact(dm.roomId, second, 'r1');
  await chat.redact(dm.roomId, second, 'r1');
  expect(await alice.wireEvent(dm.roomId, second)).toMatchObject({ content: {} });
});

function sessionOf(event: Record<string, unknown> | undefined): unknown {
  return (event?.['content'] as { session_id?: string } | undefined)?.session_id;
}
