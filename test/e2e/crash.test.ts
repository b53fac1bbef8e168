import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, grantIn, joinDm, mint, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { ratchetUses, reusedRatchets, roomEvents } from '../harness/megolm.ts';
import type { WireEvent } from '../harness/megolm.ts';
import { hold } from '../harness/proxy.ts';
import type { Fault, RequestMatcher } from '../harness/proxy.ts';
import { livePuppetTokens, puppetTokens } from '../harness/puppet-tokens.ts';
import { findSecrets } from '../harness/secrets-grep.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';
import { realTime } from '../support/wait.ts';

const LEASE_MS = 60_000;
const login: RequestMatcher = { method: 'POST', path: /\/_synapse\/admin\/v1\/users\/[^/]+\/login/ };
const logout: RequestMatcher = { method: 'POST', path: /\/logout/ };
const sendTo = (roomId: string): RequestMatcher => ({
  method: 'PUT',
  path: `/rooms/${encodeURIComponent(roomId)}/send/`,
});

let stage: Stage;
const secrets = new Set<string>();
let aliceDm = '';
let oliviaDm = '';

beforeAll(async () => {
  stage = await setTheStage({ proxied: true, config: { 'policy.lease': '1m' } });
  const first = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 10m`);
  aliceDm = (await takeNotice(stage, stage.alice, first)).roomId;
  oliviaDm = (await takeDelivery(stage, stage.olivia, first)).message.roomId;
  await command(stage, `!revoke ${first}`);
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const mintLine = (): string => `!mint @alice --rooms ${stage.ops} --ttl 10m`;
const say = (line: string): Promise<string> => stage.olivia.say(stage.mintwarden.controlRoomId, line);

/** Kills the service the moment a request stands at the point, and starts it again on a healed network. */
async function killAt(matcher: RequestMatcher, side: 'before' | 'after', line: string): Promise<string> {
  const point = stage.proxy.on(matcher, hold(side), { times: 1 });
  const eventId = await say(line);
  await point.reached;
  // While the answer is held the service has time to do what it should not do without it.
  if (side === 'after') await realTime(300);
  await stage.mintwarden.kill();
  stage.proxy.heal();
  await stage.mintwarden.start();
  return eventId;
}

/** The reply to a command; then the state of the grant as `!show` tells it. */
async function outcome(eventId: string): Promise<{ id: string; reply: string; live: boolean }> {
  const reply = textOf(
    await stage.olivia.waitForReply(eventId, { timeoutMs: 45_000, what: 'a reply after the crash' }),
  );
  const id = grantIn(reply);
  return { id, reply, live: /\blive\b/i.test(reply) };
}

async function deliveredOnce(id: string): Promise<void> {
  const { token } = await takeDelivery(stage, stage.olivia, id);
  secrets.add(token);
  for (const upstream of puppetTokens(stage.synapse)) secrets.add(upstream.token);
  expect((await request(stage, token, 'GET', '/joined_rooms')).body).toEqual({ joined_rooms: [stage.ops] });
  const notice = await takeNotice(stage, stage.alice, id);
  expect(textOf(notice)).toContain(id);
}

/** After a failed mint: no token of it that anybody holds, and what may be alive dies within its lease. */
function nothingOutlivesItsLease(): void {
  for (const token of puppetTokens(stage.synapse))
    expect(token.validUntilMs).toBeLessThanOrEqual(Date.now() + LEASE_MS + 1_000);
}

describe('killed with SIGKILL during a mint', () => {
  test('before the homeserver is asked: failed, and said so', async () => {
    const before = livePuppetTokens(stage.synapse).length;
    const { live, reply } = await outcome(await killAt(login, 'before', mintLine()));
    expect(live).toBe(false);
    expect(reply).toMatch(/ends it by itself at/);
    expect(livePuppetTokens(stage.synapse)).toHaveLength(before);
  });

  test('after the homeserver made it, before its answer: failed, what is alive is shown and ends with its lease', async () => {
    const { live, reply, id } = await outcome(await killAt(login, 'after', mintLine()));
    expect(live).toBe(false);
    expect(reply).toMatch(/ends it by itself at/);
    expect(textOf(await command(stage, `!show ${id}`))).toMatch(/alive/i);
    nothingOutlivesItsLease();
  });

  test.each([0, 1, 2, 4, 8])(
    '%d ms after its answer: live and delivered once, or failed and shown',
    async (delayMs) => {
      const killed = Promise.withResolvers<void>();
      const killAfterAnswer: Fault = {
        after: ({ response }, answer) =>
          new Promise((resolve) => {
            response.writeHead(answer.status, answer.headers).end(answer.body, () => {
              setTimeout(() => void stage.mintwarden.kill().then(killed.resolve), delayMs);
              resolve();
            });
          }),
      };
      stage.proxy.on(login, killAfterAnswer, { times: 1 });
      const eventId = await say(mintLine());
      await killed.promise;
      stage.proxy.heal();
      await stage.mintwarden.start();
      const { live, id } = await outcome(eventId);
      if (live) await deliveredOnce(id);
      else nothingOutlivesItsLease();
    },
  );

  test.each([
    ['before the notice is sent', 'alice', 'before'],
    ['after the notice was sent', 'alice', 'after'],
    ['before the token is sent', 'olivia', 'before'],
    ['after the token was sent', 'olivia', 'after'],
  ] as const)('%s: live and delivered once', async (_when, whose, side) => {
    const eventId = await killAt(sendTo(whose === 'alice' ? aliceDm : oliviaDm), side, mintLine());
    const { live, id } = await outcome(eventId);
    expect(live).toBe(true);
    await deliveredOnce(id);
  });
});

describe('killed with SIGKILL during a revocation', () => {
  test.each([
    ['before the homeserver is asked', logout, 'before'],
    ['after the homeserver ended it', logout, 'after'],
    ['before the reply is sent', 'control', 'before'],
    ['after the reply was sent', 'control', 'after'],
  ] as const)('%s: dead everywhere, and said once', async (_when, where, side) => {
    const id = await mint(stage, mintLine());
    const { token } = await takeDelivery(stage, stage.olivia, id);
    const alive = livePuppetTokens(stage.synapse).length;
    const eventId = await killAt(
      where === 'control' ? sendTo(stage.mintwarden.controlRoomId) : where,
      side,
      `!revoke ${id}`,
    );
    expect(textOf(await stage.olivia.waitForReply(eventId, { timeoutMs: 45_000 }))).toContain(id);
    expect((await request(stage, token, 'GET', '/joined_rooms')).status).toBe(401);
    await expect.poll(() => livePuppetTokens(stage.synapse).length, { timeout: 20_000 }).toBeLessThan(alive);
  });
});

describe('killed ten times at random', () => {
  test('every command is answered once, every grant is live and delivered or failed and shown', async () => {
    const commands: string[] = [];
    for (let round = 0; round < 10; round++) {
      commands.push(await say(mintLine()));
      // At random is what is tested.
      await realTime(Math.random() * 1_500);
      await stage.mintwarden.kill();
      await stage.mintwarden.start();
    }
    for (const eventId of commands) {
      const { live, id } = await outcome(eventId);
      if (live) await deliveredOnce(id);
    }
    nothingOutlivesItsLease();
  });
});

describe('after all of it', () => {
  test('no message stands twice in a room, no ratchet was used twice, the audit holds, no secret was left behind', async () => {
    await joinDm(stage, stage.olivia);
    const rooms = [stage.mintwarden.controlRoomId, aliceDm, oliviaDm];
    const events: WireEvent[] = [];
    for (const room of rooms) {
      const who = room === aliceDm ? stage.users.alice : stage.users.olivia;
      events.push(...(await roomEvents(stage.synapse.baseUrl, who.accessToken, room)));
    }
    const bot = events.filter(
      (event) => event.sender === stage.mintwarden.botUserId && event.type === 'm.room.encrypted',
    );
    expect(bot.length).toBeGreaterThan(30);
    expect(reusedRatchets(ratchetUses(bot))).toEqual([]);
    const markers = bot
      .map((event) => event.content['org.mintwarden.id'])
      .filter((marker) => marker !== undefined);
    expect(new Set(markers).size).toBe(markers.length);
    for (const room of rooms) {
      const told = [...(room === aliceDm ? stage.alice : stage.olivia).timeline(room)].filter(
        (m) => m.sender === stage.mintwarden.botUserId && !m.redacted,
      );
      const texts = told
        .map((m) => `${JSON.stringify(m.content['m.relates_to'] ?? null)} ${textOf(m)}`)
        .filter((text) => /mwt_|"m.in_reply_to"/.test(text));
      expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
    }
    await stage.mintwarden.stop();
    expect(await stage.mintwarden.command('audit', 'verify')).toMatchObject({ status: 0 });
    expect(secrets.size).toBeGreaterThan(8);
    const seen = stage.olivia.timeline(stage.mintwarden.controlRoomId);
    expect(await findSecrets([...secrets], { paths: [stage.mintwarden.dir], texts: { seen } })).toEqual([]);
  });
});
