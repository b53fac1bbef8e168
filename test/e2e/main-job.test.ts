import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  command,
  grantIn,
  isClean,
  joinDm,
  mint,
  takeDelivery,
  takeNotice,
  textOf,
} from '../harness/control-room.ts';
import { roomEvents } from '../harness/megolm.ts';
import type { NioClient } from '../harness/nio-client.ts';
import { startNioClient } from '../harness/nio-client.ts';
import { livePuppetTokens, puppetTokens } from '../harness/puppet-tokens.ts';
import { findSecrets } from '../harness/secrets-grep.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';
import { request, syncedRooms } from '../harness/holder.ts';

let stage: Stage;
let bob: NioClient;
const scoped: string[] = [];
const upstream = new Set<string>();
const remember = (): void => {
  for (const { token } of puppetTokens(stage.synapse)) upstream.add(token);
};

beforeAll(async () => {
  stage = await setTheStage();
  bob = await startNioClient(stage.synapse, await stage.synapse.registerUser('bob'));
});

afterAll(async () => {
  await bob[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

describe('the main job', () => {
  let grant = '';
  let token = '';
  let bobsDm = '';
  const read = (room: string): ReturnType<typeof request> =>
    request(stage, token, 'GET', `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=5`);

  test('the first admin’s chat is opened before there is a token', async () => {
    const invite = await stage.olivia.waitForInvite(
      (i) => i.isDirect && i.inviter === stage.mintwarden.botUserId,
    );
    expect(invite.reason).toMatch(/tokens/i);
  });

  test('a token is minted, alice is told, bob gets it', async () => {
    grant = await mint(
      stage,
      `!mint @alice --rooms ${stage.ops} --read-only --ttl 1h --to @bob --reason "a screen"`,
    );
    expect(livePuppetTokens(stage.synapse)).toHaveLength(1);
    remember();
    const notice = await takeNotice(stage, stage.alice, grant);
    expect(isClean(notice)).toBe(true);
    for (const fact of [stage.users.olivia.userId, bob.userId, 'a screen', grant])
      expect(textOf(notice)).toContain(fact);
    const delivery = await takeDelivery(stage, bob, grant);
    expect(isClean(delivery.message)).toBe(true);
    token = delivery.token;
    bobsDm = delivery.message.roomId;
    scoped.push(token);
  });

  test('it reads the room in scope, and nothing else', async () => {
    expect((await read(stage.ops)).status).toBe(200);
    expect(await read(stage.diary)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    expect(syncedRooms((await request(stage, token, 'GET', '/sync?timeout=0')).body)).toEqual([stage.ops]);
    expect((await request(stage, token, 'GET', '/joined_rooms')).body).toEqual({ joined_rooms: [stage.ops] });
    const sent = await request(
      stage,
      token,
      'PUT',
      `/rooms/${encodeURIComponent(stage.ops)}/send/m.room.message/1`,
      { body: 'x' },
    );
    expect(sent.status).toBe(403);
    const dm = bob.timeline(stage.mintwarden.controlRoomId);
    expect(dm).toEqual([]);
  });

  test('one that reads messages alone says so to alice, and shows nothing else', async () => {
    const id = await mint(
      stage,
      `!mint @alice --rooms ${stage.ops} --can read:m.room.message --ttl 1h --to @bob`,
    );
    remember();
    expect(textOf(await takeNotice(stage, stage.alice, id))).toMatch(/read m\.room\.message in 1 room/);
    const { token: typed } = await takeDelivery(stage, bob, id);
    scoped.push(typed);
    const get = (below: string) =>
      request(stage, typed, 'GET', `/rooms/${encodeURIComponent(stage.ops)}/${below}`);
    const page = await get('messages?dir=b&limit=100');
    expect(page.status).toBe(200);
    const types = (page.body['chunk'] as { type: string }[]).map(({ type }) => type);
    expect(new Set(types)).toEqual(new Set(['m.room.message']));
    expect((await get('state')).body).toEqual([]);
    for (const closed of ['state/m.room.create', 'members', 'joined_members', 'aliases'])
      expect((await get(closed)).status).toBe(403);
    await command(stage, `!revoke ${id}`);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 10_000 }).toBe(1);
  });

  test('it is not good at the homeserver itself', async () => {
    const answer = await fetch(`${stage.synapse.baseUrl}/_matrix/client/v3/joined_rooms`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
  });

  test('the bot is killed and started again: the same identity, no warning for anyone', async () => {
    await stage.mintwarden.kill();
    await stage.mintwarden.start();
    expect((await read(stage.ops)).status).toBe(200);
    const again = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h --to @bob`);
    remember();
    expect(isClean(await takeNotice(stage, stage.alice, again))).toBe(true);
    const delivery = await takeDelivery(stage, bob, again);
    expect(isClean(delivery.message)).toBe(true);
    scoped.push(delivery.token);
    expect(isClean(await command(stage, '!status'))).toBe(true);
  });

  test('a client of another engine reads its notice without a warning too', async () => {
    await bob.createRoom({ name: 'Bob’s', encrypted: false });
    const id = await mint(stage, '!mint @bob --rooms all --ttl 1h');
    remember();
    expect(isClean(await takeNotice(stage, bob, id))).toBe(true);
    scoped.push((await takeDelivery(stage, stage.olivia, id)).token);
    await command(stage, `!revoke ${id}`);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 10_000 }).toBe(2);
  });

  test('revoked, it is dead at the gateway and at the homeserver, and an open /sync ends', async () => {
    const first = await request(stage, token, 'GET', '/sync?timeout=0');
    const open = request(
      stage,
      token,
      'GET',
      `/sync?timeout=30000&since=${encodeURIComponent(String(first.body['next_batch']))}`,
    );
    await expect
      .poll(() => stage.mintwarden.metric('mintwarden_gateway_open_long_polls'), { timeout: 5_000 })
      .toBe(1);
    const begun = performance.now();
    expect(textOf(await command(stage, `!revoke ${grant}`))).toContain(grant);
    expect(await open).toMatchObject({
      status: 401,
      body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false },
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect((await read(stage.ops)).status).toBe(401);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 10_000 }).toBe(1);
    expect(textOf(await command(stage, `!revoke ${grant}`))).toMatch(/already|over|ended/i);
  });

  test('a short one expires by itself, everywhere', async () => {
    const brief = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 5s`);
    remember();
    const { token: short } = await takeDelivery(stage, stage.olivia, brief);
    scoped.push(short);
    await stage.olivia.waitForMessage(
      (m) =>
        m.roomId === stage.mintwarden.controlRoomId &&
        textOf(m).includes(brief) &&
        /expired/i.test(textOf(m)),
      { timeoutMs: 20_000, what: 'the news that it expired' },
    );
    expect((await request(stage, short, 'GET', '/joined_rooms')).status).toBe(401);
    await expect.poll(() => puppetTokens(stage.synapse).length, { timeout: 10_000 }).toBe(1);
  });

  test('the subject lists and ends what speaks for them, encrypted or not', async () => {
    const mine = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
    remember();
    const { token: mineToken } = await takeDelivery(stage, stage.olivia, mine);
    scoped.push(mineToken);
    const { roomId } = await takeNotice(stage, stage.alice, mine);
    const asked = await stage.alice.say(roomId, '!tokens');
    expect(textOf(await stage.alice.waitForReply(asked))).toContain(mine);
    await stage.alice.sendPlaintext(roomId, 'm.room.message', { msgtype: 'm.text', body: `revoke ${mine}` });
    await expect
      .poll(async () => (await request(stage, mineToken, 'GET', '/joined_rooms')).status, { timeout: 10_000 })
      .toBe(401);
    const stranger = await bob.say(bobsDm, `!revoke ${mine}`);
    expect(textOf(await bob.waitForReply(stranger))).not.toContain('alice');
  });

  test('a holder logs out, and the control room hears of it', async () => {
    const id = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
    remember();
    const { token: leaving } = await takeDelivery(stage, stage.olivia, id);
    scoped.push(leaving);
    expect((await request(stage, leaving, 'POST', '/logout', {})).status).toBe(200);
    expect((await request(stage, leaving, 'GET', '/account/whoami')).status).toBe(401);
    await stage.olivia.waitForMessage(
      (m) =>
        m.roomId === stage.mintwarden.controlRoomId &&
        textOf(m).includes(id) &&
        /logged out|holder/i.test(textOf(m)),
    );
  });

  test('the audit holds, and no secret stands anywhere', async () => {
    const verdict = await stage.mintwarden.command('audit', 'verify');
    expect(verdict).toMatchObject({ status: 0 });
    await joinDm(stage, stage.olivia);
    await stage.mintwarden.stop();
    const controlRoom = await roomEvents(
      stage.synapse.baseUrl,
      stage.users.olivia.accessToken,
      stage.mintwarden.controlRoomId,
    );
    const seenByOlivia = stage.olivia.timeline(stage.mintwarden.controlRoomId);
    expect(scoped.length).toBeGreaterThanOrEqual(5);
    expect(upstream.size).toBeGreaterThanOrEqual(5);
    expect(seenByOlivia.some((m) => textOf(m).includes(grantIn(grant)))).toBe(true);
    expect(
      await findSecrets([...scoped, ...upstream], {
        paths: [stage.mintwarden.dir],
        texts: { controlRoom, seenByOlivia },
      }),
    ).toEqual([]);
  });
});
