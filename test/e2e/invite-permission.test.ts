import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, joinDm, mint, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { startJsClient, type JsClient } from '../harness/js-client.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage, type Stage } from '../harness/stage.ts';
import type { TestUser } from '../harness/synapse-users.ts';

const STABLE = 'm.invite_permission_config';
const LISTS = 'org.matrix.msc4155.invite_permission_config';

let stage: Stage;
let bob: TestUser;
let bobsClient: JsClient;

const set = (user: TestUser, type: string, body: object): Promise<unknown> =>
  matrixRequest(
    stage.synapse.baseUrl,
    'PUT',
    `/_matrix/client/v3/user/${encodeURIComponent(user.userId)}/account_data/${type}`,
    { token: user.accessToken, body },
  );

/** As a stranger would who wants no invitations of the bot's. */
async function invite(userId: string): Promise<unknown> {
  const { room_id: room } = await matrixRequest<{ room_id: string }>(
    stage.synapse.baseUrl,
    'POST',
    '/_matrix/client/v3/createRoom',
    { token: stage.users.olivia.accessToken, body: {} },
  );
  return matrixRequest(
    stage.synapse.baseUrl,
    'POST',
    `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/invite`,
    {
      token: stage.users.olivia.accessToken,
      body: { user_id: userId },
    },
  );
}

beforeAll(async () => {
  stage = await setTheStage({ synapse: { config: { experimental_features: { msc4155_enabled: true } } } });
  bob = await stage.synapse.registerUser('bob');
  bobsClient = await startJsClient(stage.synapse, bob);
});

afterAll(async () => {
  await bobsClient?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

test.each([
  ['blocked', STABLE, () => ({ default_action: 'block' }), /M_INVITE_BLOCKED.*could not be told/],
  ['blocked by a list', LISTS, () => ({ blocked_servers: ['*'] }), /M_INVITE_BLOCKED.*could not be told/],
  [
    'ignored by a list',
    LISTS,
    () => ({ ignored_users: ['@mintwarden*'] }),
    /never see one.*could not be told/,
  ],
] as const)(
  'nothing is made for a subject whose invitations are %s, nor a token sent to one',
  async (_, type, body, text) => {
    const user = await stage.synapse.uniqueUser('deaf');
    const client = await startJsClient(stage.synapse, user);
    await using _client: JsClient = client;
    const room = await client.createRoom({ name: 'Alone', encrypted: false });
    await set(user, type, body());
    if (type === STABLE)
      await expect(invite(user.userId)).rejects.toMatchObject({ errcode: 'M_INVITE_BLOCKED' });

    const before = livePuppetTokens(stage.synapse);
    expect(textOf(await command(stage, `!mint ${user.userId} --rooms ${room}`))).toMatch(text);
    const to = textOf(await command(stage, `!mint @alice --rooms ${stage.ops} --to ${user.userId}`));
    expect(to).toMatch(/M_INVITE_BLOCKED|never see one/);
    expect(to).toMatch(/could not reach them/);
    expect(livePuppetTokens(stage.synapse)).toEqual(before);
    expect(client.invites()).toEqual([]);
  },
);

test('a DM that is joined needs no invitation', async () => {
  const room = await bobsClient.createRoom({ name: 'Bob’s', encrypted: false });
  await takeNotice(stage, bobsClient, await mint(stage, `!mint @bob --rooms ${room} --ttl 1h`));
  await joinDm(stage, stage.olivia);
  await set(bob, STABLE, { default_action: 'block' });
  const second = await mint(stage, `!mint @bob --rooms ${room} --ttl 1h --to @bob`);
  await takeNotice(stage, bobsClient, second);
  expect((await takeDelivery(stage, bobsClient, second)).token).toMatch(/^mwt_/);
});
