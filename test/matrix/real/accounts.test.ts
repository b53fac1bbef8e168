import { expect, test } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import { createControlRoom } from '../../../src/matrix/accounts.ts';
import { loginWithPassword, logout } from '../../../src/matrix/sessions.ts';
import { answerWith, startProxy } from '../../harness/proxy.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { newBot } from './bot.ts';

type StateEvent = { type: string; state_key: string; content: Record<string, unknown> };

test('a login gives a session, a wrong password a sentence, and a logout can be repeated', async () => {
  const synapse = sharedSynapse();
  const user = await synapse.uniqueUser('bot');
  const session = await loginWithPassword(synapse.baseUrl, user.userId, user.password, 'Mintwarden');
  expect(session.userId).toBe(user.userId);
  await expect(loginWithPassword(synapse.baseUrl, user.userId, 'wrong', 'x')).rejects.toMatchObject({
    code: 'homeserver-refused',
  });
  await logout(synapse.baseUrl, session.accessToken);
  await logout(synapse.baseUrl, session.accessToken);
  await expect(
    createControlRoom({ homeserverUrl: synapse.baseUrl, ...session, admins: [], name: 'Mint' }),
  ).rejects.toMatchObject({
    code: 'homeserver-refused',
    hint: expect.stringContaining('mintwarden init'),
  });
});

test('the control room is made once, private and encrypted, and the first admin has the bot’s own power', async () => {
  const synapse = sharedSynapse();
  const [user, first, second] = [
    await synapse.uniqueUser('bot'),
    await synapse.uniqueUser('admin'),
    await synapse.uniqueUser('admin'),
  ];
  const ids = [first.userId, second.userId] as UserId[];
  const make = (admins: readonly UserId[]) =>
    createControlRoom({
      homeserverUrl: synapse.baseUrl,
      accessToken: user.accessToken,
      userId: user.userId,
      admins,
      name: 'Mint',
    });
  const roomId = await make(ids.slice(0, 1));
  expect(await make(ids)).toBe(roomId);
  const state = await matrixRequest<StateEvent[]>(
    synapse.baseUrl,
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`,
    {
      token: user.accessToken,
    },
  );
  const content = (type: string, key = '') =>
    state.find((event) => event.type === type && event.state_key === key)?.content;
  expect(content('m.room.create')).toMatchObject({ additional_creators: [first.userId] });
  expect(content('m.room.encryption')).toMatchObject({ algorithm: 'm.megolm.v1.aes-sha2' });
  expect(content('m.room.join_rules')).toMatchObject({ join_rule: 'invite' });
  expect(content('m.room.guest_access')).toMatchObject({ guest_access: 'forbidden' });
  for (const id of ids) expect(content('m.room.member', id)).toMatchObject({ membership: 'invite' });
});

test('a homeserver that asks for the password before it takes the first keys gets it', async () => {
  const synapse = sharedSynapse();
  await using proxy = await startProxy(synapse.baseUrl);
  await using bot = await newBot(synapse, []);
  const asked = { flows: [{ stages: ['m.login.password'] }], params: {}, session: 'S' };
  proxy.on({ path: '/keys/device_signing/upload' }, answerWith(401, asked), { times: 1 });
  await expect(bot.start({ homeserverUrl: proxy.baseUrl })).rejects.toMatchObject({
    code: 'homeserver-refused',
  });
  proxy.on({ path: '/keys/device_signing/upload' }, answerWith(401, asked), { times: 1 });
  const { chat } = await bot.start({ homeserverUrl: proxy.baseUrl, password: async () => bot.user.password });
  expect(await chat.keys(chat.userId)).toMatchObject({ signedDevices: 1 });
  const last = proxy.requests.filter((request) => request.path.includes('device_signing')).at(-1);
  expect(JSON.parse(last?.body ?? '')).toMatchObject({ auth: { type: 'm.login.password', session: 'S' } });
});

test('a token of another account is refused', async () => {
  const synapse = sharedSynapse();
  const other = await synapse.uniqueUser('other');
  await using bot = await newBot(synapse, []);
  await expect(bot.start({ accessToken: other.accessToken })).rejects.toMatchObject({
    code: 'configuration',
  });
});
