import { afterAll, beforeAll, expect, test } from 'vitest';
import { startJsClient } from '../../harness/js-client.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { doctorStage } from './support/doctor-stage.ts';

const V3 = '/_matrix/client/v3';

/** What doctor says of the control room. */
const stage = await doctorStage(sharedSynapse());
const {
  synapse,
  olivia,
  mintwarden,
  config,
  broken,
  fixed,
  configure,
  asItWas,
  inRoom,
  asOlivia,
  setState,
  stateOf,
} = stage;
const part = encodeURIComponent;

beforeAll(() => stage.start());
afterAll(() => stage[Symbol.asyncDispose]());

test('the control room can be joined by anybody, or by guests', async () => {
  await setState('m.room.join_rules', { join_rule: 'public' });
  await broken('control-room-access', /without an invitation \(public\)/);
  await setState('m.room.join_rules', { join_rule: 'invite' });
  await setState('m.room.guest_access', { guest_access: 'can_join' });
  await broken('control-room-access', /Guests/);
  await setState('m.room.guest_access', { guest_access: 'forbidden' });
  await fixed('control-room-access');
});

test('its history can be read by anyone', async () => {
  await setState('m.room.history_visibility', { history_visibility: 'world_readable' });
  await broken('control-room-history', /read by anyone/);
  await setState('m.room.history_visibility', { history_visibility: 'invited' });
  await fixed('control-room-history');
});

test('a stranger is in it', async () => {
  const eve = await synapse.uniqueUser('eve');
  await olivia.invite(mintwarden.controlRoomId, eve.userId);
  await broken('control-room-members', /@eve/, 'warn');
  await matrixRequest(synapse.baseUrl, 'POST', `${V3}/join/${part(mintwarden.controlRoomId)}`, {
    token: eve.accessToken,
    body: {},
  });
  await broken('control-room-members', /@eve/, 'warn');
  await asOlivia('POST', inRoom('kick'), { user_id: eve.userId });
  await fixed('control-room-members');
});

test('an admin is not in it, and one has no identity', async () => {
  const ann = await synapse.uniqueUser('ann');
  await configure({ admins: [olivia.userId, ann.userId] });
  expect((await broken('control-room-admins', /Not in it: @ann/, 'warn')).fix).toMatch(/^Invite them/);
  await broken('admin-identities', /Without cross-signing: @ann/, 'warn');
  await olivia.invite(mintwarden.controlRoomId, ann.userId);
  expect((await broken('control-room-admins', /Not in it: @ann/, 'warn')).fix).toMatch(/let them accept/);
  await using client = await startJsClient(synapse, ann);
  await client.join(mintwarden.controlRoomId);
  await fixed('control-room-admins');
  await fixed('admin-identities');
  await client.leave(mintwarden.controlRoomId);
  await asItWas();
});

test('everybody in it may change it', async () => {
  const levels = await stateOf('m.room.power_levels');
  await setState('m.room.power_levels', { ...levels, state_default: 0 });
  await broken('control-room-power', /Every member may change it/);
  await setState('m.room.power_levels', {
    ...levels,
    users: { ...(levels['users'] as object), '@eve:test.local': 100 },
  });
  await broken('control-room-power', /without being admins: @eve/);
  await setState('m.room.power_levels', levels);
  await fixed('control-room-power');
});

test('the control room is another one, which is not encrypted', async () => {
  const { bot } = await config();
  const body = {
    preset: 'private_chat',
    initial_state: [{ type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } }],
  };
  const { room_id: room } = await matrixRequest<{ room_id: string }>(
    synapse.baseUrl,
    'POST',
    `${V3}/createRoom`,
    { token: bot.access_token, body },
  );
  await configure({ control_room: room });
  await broken('control-room-encryption', /not encrypted/);
  await matrixRequest(synapse.baseUrl, 'PUT', `${V3}/rooms/${part(room)}/state/m.room.encryption/`, {
    token: bot.access_token,
    body: { algorithm: 'm.megolm.v1.aes-sha2' },
  });
  await fixed('control-room-encryption');
  await asItWas();
});

test('the bot was removed from it: invited again, it joins by itself', async () => {
  const { bot } = await config();
  await matrixRequest(synapse.baseUrl, 'POST', inRoom('leave'), { token: bot.access_token, body: {} });
  expect((await broken('control-room', /The bot is not in/)).fix).toContain(`Invite ${bot.user_id}`);
  await olivia.invite(mintwarden.controlRoomId, bot.user_id);
  await olivia.waitForMember(mintwarden.controlRoomId, bot.user_id);
  await fixed('control-room');
});
