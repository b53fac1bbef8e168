import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import type { ChatEvent } from '../../../src/ports/chat.ts';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startProxy } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';
import { newBot, type TestBot } from './bot.ts';
import { realTime, until } from '../../support/wait.ts';

function bodies(bot: TestBot): string[] {
  return bot.heard.flatMap((event) => (event.kind === 'message' ? [event.message.body] : []));
}

test('what arrives says whether it was encrypted, by a signed device, edited, or not readable at all', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  await using unsigned = await startJsClient(synapse, user, { crossSigned: false });
  await using bot = await newBot(synapse, [user.userId]);
  const matrix = await bot.start();
  const room = bot.controlRoomId;
  await admin.join(room);
  await bot.hears(
    (event) => event.kind === 'membership' && event.userId === user.userId && event.membership === 'join',
  );
  await admin.waitForMember(room, bot.user.userId);

  const signed = await admin.say(room, 'signed');
  const { masterKey } = await matrix.chat.keys(user.userId as UserId);
  expect(await bot.hearsMessage((m) => m.eventId === signed)).toMatchObject({
    body: 'signed',
    encryption: { deviceSigned: true, masterKey },
  });
  const reply = await admin.say(room, 'answer', { replyTo: signed });
  expect(await bot.hearsMessage((m) => m.eventId === reply)).toMatchObject({
    body: 'answer',
    replyTo: signed,
    isEdit: false,
  });
  const edit = await admin.edit(room, signed, 'edited');
  expect(await bot.hearsMessage((m) => m.eventId === edit)).toMatchObject({ isEdit: true });
  const plain = await admin.sendPlaintext(room, 'm.room.message', {
    msgtype: 'm.text',
    body: 'in the clear',
  });
  expect(await bot.hearsMessage((m) => m.eventId === plain)).toMatchObject({
    body: 'in the clear',
    encryption: null,
  });
  const stranger = await unsigned.say(room, 'not signed');
  expect(await bot.hearsMessage((m) => m.eventId === stranger)).toMatchObject({
    encryption: { deviceSigned: false },
  });

  const wire = await admin.wireEvent(room, signed);
  const garbage = { ...(wire['content'] as object), session_id: 'A'.repeat(43) };
  const unreadable = await admin.sendPlaintext(room, 'm.room.encrypted', garbage);
  await bot.hears(
    (event) => event.kind === 'undecryptable' && event.eventId === unreadable && event.sender === user.userId,
  );

  // the same ciphertext as another event tells itself by its session and index
  const first = await bot.hearsMessage((m) => m.eventId === signed);
  const replay = await admin.sendPlaintext(room, 'm.room.encrypted', wire['content'] as object);
  const seen = await bot.hears(
    (event) =>
      (event.kind === 'message'
        ? event.message.eventId
        : event.kind === 'undecryptable'
          ? event.eventId
          : '') === replay,
  );
  if (seen.kind === 'message') expect(seen.message.encryption).toEqual(first.encryption);
});

test('a key that comes after its message is waited for, and the position with it', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, [user.userId]);
  const late: unknown[] = [];
  let isHeldBack = false;
  proxy.on(
    { path: '/sync' },
    {
      after: ({ response }, { status, body }) => {
        const answer = JSON.parse(body.toString()) as { to_device?: { events: unknown[] } };
        if (isHeldBack) {
          late.push(...(answer.to_device?.events ?? []));
          delete answer.to_device;
        } else {
          answer.to_device = { events: [...(answer.to_device?.events ?? []), ...late.splice(0)] };
        }
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
    },
  );
  const matrix = await bot.start({ homeserverUrl: proxy.baseUrl });
  await matrix.ready;
  await admin.join(bot.controlRoomId);
  await admin.waitForMember(bot.controlRoomId, bot.user.userId);
  await bot.hears(
    (event) => event.kind === 'membership' && event.userId === user.userId && event.membership === 'join',
  );
  const syncs = (): number => proxy.requests.filter(({ path }) => path.includes('/sync')).length;
  const before = syncs();
  await until(() => syncs() > before || bot.saved.position !== null);

  isHeldBack = true;
  const said = await admin.say(bot.controlRoomId, 'early');
  await until(() => late.length > 0, 10_000);
  // That it goes on waiting shows in time alone.
  await realTime(1_500);
  expect(bot.heard.filter((event) => event.kind !== 'membership')).toEqual([]);
  const waiting = bot.saved.position;
  await realTime(1_500);
  expect(bot.saved.position).toBe(waiting); // it does not move past the message
  isHeldBack = false;
  expect(await bot.hearsMessage((m) => m.eventId === said)).toMatchObject({
    body: 'early',
    encryption: { deviceSigned: true },
  });
  await expect.poll(() => bot.saved.position, { timeout: 5_000 }).not.toBe(waiting);
});

test('events made to break it do not deafen it', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('mallory');
  await using mallory = await startJsClient(synapse, user);
  await using bot = await newBot(synapse, [user.userId]);
  await bot.start();
  const room = bot.controlRoomId;
  await mallory.join(room);
  await mallory.waitForMember(room, bot.user.userId);
  const good = await mallory.say(room, 'before');
  const content = (await mallory.wireEvent(room, good))['content'] as Record<string, unknown>;
  const broken: object[] = [
    {},
    { algorithm: 'm.megolm.v1.aes-sha2' },
    { ...content, algorithm: 'm.odd' },
    { ...content, algorithm: 'm.olm.v1.curve25519-aes-sha2' },
    { ...content, ciphertext: 5 },
    { ...content, ciphertext: '!' },
    { ...content, ciphertext: 'AAAA' },
    { ...content, ciphertext: { a: { type: 0, body: 'x' } } },
    { ...content, session_id: 5 },
    { ...content, sender_key: 'AAAA', device_id: 'NONE' },
    { ...content, 'm.relates_to': 5 },
  ];
  for (const wire of broken) await mallory.sendPlaintext(room, 'm.room.encrypted', wire);
  await mallory.sendPlaintext(room, 'm.room.message', {
    msgtype: 'm.text',
    body: 'x',
    'm.relates_to': 'y',
    formatted_body: 5,
  });
  await mallory.say(room, 'after');
  await bot.hearsMessage((m) => m.body === 'after');
  expect(bot.logged.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('nothing said while it was down or being handled is lost, and a flood hides nothing', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  await using bot = await newBot(synapse, [user.userId]);
  const room = bot.controlRoomId;
  let died: (event: ChatEvent) => void = () => undefined;
  const dying = new Promise<ChatEvent>((resolve) => (died = resolve));
  const first = await bot.start({
    onEvent: async (event) => {
      if (event.kind !== 'message') return;
      died(event);
      throw new Error('not handled');
    },
  });
  await admin.join(room);
  await admin.waitForMember(room, bot.user.userId);
  await admin.say(room, 'while being handled');
  await dying;
  await first.stop();
  await admin.say(room, 'while down');
  for (let index = 0; index < 60; index++)
    await admin.sendPlaintext(room, 'm.room.message', { msgtype: 'm.notice', body: 'flood' });

  const second = await bot.start();
  await second.ready;
  await bot.hearsMessage((m) => m.body === 'while down');
  expect(bodies(bot)).toEqual(['while being handled', 'while down']);
  await second.stop();
  bot.heard.length = 0;
  const third = await bot.start();
  await third.ready;
  await admin.say(room, 'after');
  await bot.hearsMessage((m) => m.body === 'after');
  expect(bodies(bot)).toEqual(['after']);
  expect(bot.saved.position).not.toBeNull();
});

test.each(['', 'nonsense', 's1_2_3'])(
  'a damaged position (%j) costs a look back, not the hearing',
  async (position) => {
    const synapse = sharedSynapse();
    const user = await synapse.uniqueUser('admin');
    await using admin = await startJsClient(synapse, user);
    await using bot = await newBot(synapse, [user.userId]);
    const first = await bot.start();
    await first.ready;
    await admin.join(bot.controlRoomId);
    await admin.waitForMember(bot.controlRoomId, bot.user.userId);
    await first.stop();
    await admin.say(bot.controlRoomId, 'while down');
    bot.saved.position = position;
    const second = await bot.start();
    await second.ready;
    await bot.hearsMessage((m) => m.body === 'while down');
    expect(bot.saved.position).not.toBe(position);
  },
);

test('it goes on hearing where the position can be neither read nor saved', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('admin');
  await using admin = await startJsClient(synapse, user);
  await using bot = await newBot(synapse, [user.userId]);
  const broken = async (): Promise<never> => {
    throw new Error('disk');
  };
  const matrix = await bot.start({ position: { load: broken, save: broken } });
  await matrix.ready;
  await admin.join(bot.controlRoomId);
  await admin.waitForMember(bot.controlRoomId, bot.user.userId);
  for (const body of ['one', 'two']) {
    await admin.say(bot.controlRoomId, body);
    await bot.hearsMessage((m) => m.body === body);
  }
  expect(bodies(bot)).toEqual(['one', 'two']);
});

test('invitations are refused, earlier ones too, but for those of administrators', async () => {
  const synapse = sharedSynapse();
  const [eve, admin] = [await synapse.uniqueUser('eve'), await synapse.uniqueUser('admin')];
  await using bot = await newBot(synapse, [admin.userId]);
  const invite = async (by: TestUser): Promise<string> => {
    const body = { preset: 'private_chat', invite: [bot.user.userId] };
    const options = { token: by.accessToken, body };
    const path = '/_matrix/client/v3/createRoom';
    return (await matrixRequest<{ room_id: string }>(synapse.baseUrl, 'POST', path, options)).room_id;
  };
  const membership = async (by: TestUser, roomId: string): Promise<unknown> => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${bot.user.userId}`;
    return (await matrixRequest(synapse.baseUrl, 'GET', path, { token: by.accessToken }))['membership'];
  };
  const [earlier, kept] = [await invite(eve), await invite(admin)];
  const matrix = await bot.start();
  await matrix.ready;
  const later = await invite(eve);
  await expect.poll(() => membership(eve, earlier), { timeout: 10_000 }).toBe('leave');
  await expect.poll(() => membership(eve, later), { timeout: 10_000 }).toBe('leave');
  expect(await membership(admin, kept)).toBe('invite');
  expect((await matrix.chat.controlRoom()).botJoined).toBe(true);
});

test('other rooms are not listened to', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('eve');
  await using eve = await startJsClient(synapse, user);
  await using bot = await newBot(synapse, []);
  const matrix = await bot.start();
  await matrix.ready;
  const before = bot.saved.position;
  const trap = await eve.createRoom({
    invite: [bot.user.userId],
    isDirect: true,
    more: { creation_content: { 'org.mintwarden.dm': user.userId } },
  });
  await until(() => bot.saved.position !== before);
  expect(await matrix.chat.dm(user.userId as UserId)).toBeNull();
  const dm = await matrix.chat.openDm(user.userId as UserId, { reason: 'r', encrypted: true });
  expect(dm.roomId).not.toBe(trap);
  expect(bot.heard.filter((event) => event.kind === 'message')).toEqual([]);
  expect(await matrix.chat.controlRoom()).toMatchObject({
    botJoined: true,
    encrypted: true,
    joinRule: 'invite',
    guestsAllowed: false,
    worldReadable: false,
  });
  expect(await matrix.chat.controlRoomPredecessors()).toEqual([]);
});
