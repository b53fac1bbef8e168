import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, mint, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { startJsClient } from '../harness/js-client.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';

let stage: Stage;
let room = '';
const line = (): string => `!mint @alice --rooms ${stage.ops}`;

/** Whatever was sent before it has been worked through when `!status` is answered. */
const settled = (): Promise<unknown> => command(stage, '!status');
const tokens = (): number => livePuppetTokens(stage.synapse).length;

beforeAll(async () => {
  stage = await setTheStage();
  room = stage.mintwarden.controlRoomId;
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe('only the entitled command', () => {
  test('a plaintext command in the encrypted control room makes nothing, and says why', async () => {
    const eventId = await stage.olivia.sendPlaintext(room, 'm.room.message', {
      msgtype: 'm.text',
      body: line(),
    });
    expect(textOf(await stage.olivia.waitForReply(eventId))).toMatch(/encrypt/i);
    expect(tokens()).toBe(0);
  });

  test('an edit makes nothing', async () => {
    const first = await stage.olivia.say(room, 'just talking');
    await stage.olivia.edit(room, first, line());
    await settled();
    expect(tokens()).toBe(0);
  });

  test('a device its owner has not signed makes nothing', async () => {
    await using second = await startJsClient(stage.synapse, stage.users.olivia, { crossSigned: false });
    await second.waitForMember(room, stage.mintwarden.botUserId);
    const eventId = await second.say(room, line());
    const reply = await stage.olivia.waitForMessage(
      (m) =>
        m.sender === stage.mintwarden.botUserId &&
        JSON.stringify(m.content['m.relates_to'] ?? '').includes(eventId),
      { what: 'a refusal of the unsigned device' },
    );
    expect(textOf(reply)).toMatch(/verif|sign/i);
    expect(tokens()).toBe(0);
  });

  test('a member who is no admin makes nothing', async () => {
    await stage.olivia.invite(room, stage.users.alice.userId);
    await stage.alice.join(room);
    await stage.alice.waitForMember(room, stage.mintwarden.botUserId);
    await stage.alice.say(room, `!mint @you --rooms all`);
    await settled();
    expect(tokens()).toBe(0);
    await stage.alice.leave(room);
  });

  test('the same event delivered twice makes one token', async () => {
    const id = await mint(stage, line());
    expect(tokens()).toBe(1);
    await stage.mintwarden.kill();
    await stage.mintwarden.start();
    await settled();
    expect(tokens()).toBe(1);
    await command(stage, `!revoke ${id}`);
    await expect.poll(tokens, { timeout: 10_000 }).toBe(0);
  });

  test('the ciphertext of a command, replayed by the homeserver or by a member, makes nothing', async () => {
    const eventId = await stage.olivia.say(room, line());
    await stage.olivia.waitForReply(eventId);
    const after = tokens();
    const wire = await stage.olivia.wireEvent(room, eventId);
    await matrixRequest(
      stage.synapse.baseUrl,
      'PUT',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/replay1`,
      {
        token: stage.users.olivia.accessToken,
        body: wire['content'] as object,
      },
    );
    await settled();
    expect(tokens()).toBe(after);
  });

  test('what an administrator encrypted for another room is no command in this one', async () => {
    const id = await mint(stage, line());
    const dm = (await takeDelivery(stage, stage.olivia, id)).message.roomId;
    const before = tokens();
    const wire = await stage.olivia.wireEvent(dm, await stage.olivia.say(dm, line()));
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/moved1`;
    const moved = { token: stage.users.olivia.accessToken, body: wire['content'] as object };
    const { event_id: eventId } = await matrixRequest<{ event_id: string }>(
      stage.synapse.baseUrl,
      'PUT',
      path,
      moved,
    );
    const reply = await stage.olivia.waitForReply(eventId);
    expect(textOf(reply)).toMatch(/could not decrypt/);
    expect(tokens()).toBe(before);
  });
});

describe('the subject always knows', () => {
  test('a holder cannot leave, kick or mute its way past the notice', async () => {
    const id = await mint(stage, `!mint @alice --rooms all`);
    const { token } = await takeDelivery(stage, stage.olivia, id);
    const { roomId } = await takeNotice(stage, stage.alice, id);
    const rooms = (await request(stage, token, 'GET', '/joined_rooms')).body['joined_rooms'];
    expect(rooms).toContain(stage.ops);
    expect(rooms).not.toContain(roomId);
    for (const [method, path] of [
      ['POST', `/rooms/${encodeURIComponent(roomId)}/leave`],
      ['POST', `/rooms/${encodeURIComponent(roomId)}/forget`],
      ['GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b`],
      ['PUT', `/user/${encodeURIComponent(stage.users.alice.userId)}/account_data/m.ignored_user_list`],
      ['POST', '/logout/all'],
    ] as const) {
      const answer = await request(stage, token, method, path, method === 'GET' ? undefined : {});
      expect([403, 404]).toContain(answer.status);
    }
  });

  test('a locked subject suspends the token, a deactivated one ends it', async () => {
    const id = await mint(stage, `!mint @alice --rooms ${stage.ops}`);
    const { token } = await takeDelivery(stage, stage.olivia, id);
    expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(200);
    await matrixRequest(
      stage.synapse.baseUrl,
      'PUT',
      `/_synapse/admin/v2/users/${stage.users.alice.userId}`,
      {
        token: stage.synapse.adminToken,
        body: { locked: true },
      },
    );
    const locked = await request(
      stage,
      token,
      'GET',
      `/rooms/${encodeURIComponent(stage.ops)}/messages?dir=b`,
    );
    expect(locked).toMatchObject({ status: 401, body: { errcode: 'M_USER_LOCKED', soft_logout: true } });
  });
});
