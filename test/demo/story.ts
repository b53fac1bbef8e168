import { setTimeout as sleep } from 'node:timers/promises';
import type { TimelineEvent } from '../harness/encrypted-client.ts';
import type { JsClient } from '../harness/js-client.ts';
import { ask, syncedRooms } from './holder.ts';
import { aside, check, message, scene } from './screen.ts';
import type { Stage } from './stage.ts';

const TOKEN = /mwt_[0-9A-Z]+_[0-9A-Za-z]{49}/;
const GRANT = /\b[0-9A-HJKMNP-TV-Z]{6,10}\b/;
const masked = (text: string): string => text.replace(TOKEN, (token) => `${token.slice(0, 11)}…`);
const bodyOf = (event: TimelineEvent): string => String(event.content['body']);

/** Plays the whole story, showing each message as an independent client decrypted it. */
export async function playTheStory(stage: Stage): Promise<void> {
  const { alice, olivia, mintwarden } = stage;

  scene('1. Olivia mints a token for one of alice’s rooms');
  const first = await mint(stage, `!mint @alice --rooms ${stage.ops} --read-only --ttl 1h --reason "status screen in the hall"`);

  scene('2. Alice is told');
  const { roomId: aliceDm, notice } = await hearNotice(stage, alice, first.id);
  check('the notice came encrypted, without a warning about its sender’s device', clean(notice));

  scene('3. The token reaches Olivia, once, encrypted');
  const token = await takeToken(stage, first.id);

  scene('4. A client uses it through the gateway');
  const hs = { gateway: mintwarden.gatewayUrl, token };
  check('it reads Ops', (await ask(hs, 'GET', `/rooms/${encodeURIComponent(stage.ops)}/messages?dir=b&limit=5`)).status === 200);
  check(
    'it cannot read Diary',
    (await ask(hs, 'GET', `/rooms/${encodeURIComponent(stage.private)}/messages?dir=b&limit=5`)).status === 403,
  );
  const sent = await ask(hs, 'PUT', `/rooms/${encodeURIComponent(stage.ops)}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' });
  check('it cannot send', sent.status === 403);
  const sync = await ask(hs, 'GET', '/sync?timeout=0');
  check('its /sync shows one room, Ops', syncedRooms(sync.body).join() === stage.ops);

  scene('5. Olivia revokes it while a /sync is open');
  const open = ask(hs, 'GET', `/sync?timeout=30000&since=${encodeURIComponent(String(sync.body['next_batch']))}`);
  await sleep(500);
  const begun = performance.now();
  const revoke = await say(stage, olivia, `!revoke ${first.id}`);
  message('control room', 'mintwarden', bodyOf(await olivia.waitForReply(revoke)));
  check('the open /sync ended at once', (await open).status === 401 && performance.now() - begun < 5_000);
  check('the token is refused', (await ask(hs, 'GET', '/account/whoami')).status === 401);
  message(
    'alice’s DM',
    'mintwarden',
    bodyOf(await alice.waitForMessage((m) => m.roomId === aliceDm && m.eventId !== notice.eventId && bodyOf(m).includes(first.id))),
  );

  scene('6. A token of ten seconds expires by itself');
  const second = await mint(stage, `!mint @alice --rooms ${stage.ops} --read-only --ttl 10s`);
  const brief = { gateway: mintwarden.gatewayUrl, token: await takeToken(stage, second.id) };
  check('it works', (await ask(brief, 'GET', '/joined_rooms')).status === 200);
  aside('waiting for it to end');
  const over = await olivia.waitForMessage(
    (m) => m.roomId === mintwarden.controlRoomId && /expired/i.test(bodyOf(m)) && bodyOf(m).includes(second.id),
    { timeoutMs: 30_000 },
  );
  message('control room', 'mintwarden', bodyOf(over));
  check('it is refused', (await ask(brief, 'GET', '/joined_rooms')).status === 401);

  scene('7. Alice ends one herself');
  const third = await mint(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const last = { gateway: mintwarden.gatewayUrl, token: await takeToken(stage, third.id) };
  check('it works', (await ask(last, 'GET', '/joined_rooms')).status === 200);
  const hers = await alice.say(aliceDm, `!revoke ${third.id}`);
  message('alice’s DM', 'alice', `!revoke ${third.id}`);
  message('alice’s DM', 'mintwarden', bodyOf(await alice.waitForReply(hers)));
  check('it is refused', (await ask(last, 'GET', '/joined_rooms')).status === 401);
}

async function say(stage: Stage, who: JsClient, text: string): Promise<string> {
  message('control room', who.userId, text);
  return who.say(stage.mintwarden.controlRoomId, text);
}

async function mint(stage: Stage, line: string): Promise<{ id: string }> {
  const command = await say(stage, stage.olivia, line);
  const reply = await stage.olivia.waitForReply(command);
  message('control room', 'mintwarden', bodyOf(reply));
  const id = GRANT.exec(bodyOf(reply))?.[0] ?? '';
  check('the grant is live', id !== '');
  return { id };
}

async function hearNotice(stage: Stage, who: JsClient, id: string): Promise<{ roomId: string; notice: TimelineEvent }> {
  const invite = await who.waitForInvite((i) => i.inviter === stage.mintwarden.botUserId);
  message('invitation to alice', 'mintwarden', invite.reason ?? '(no reason)');
  await who.join(invite.roomId);
  const notice = await who.waitForMessage((m) => m.roomId === invite.roomId && m.undecryptable === null && bodyOf(m).includes(id));
  message('alice’s DM', 'mintwarden', bodyOf(notice));
  return { roomId: invite.roomId, notice };
}

async function takeToken(stage: Stage, id: string): Promise<string> {
  const { olivia, mintwarden } = stage;
  const dm = olivia.invites().find((i) => i.inviter === mintwarden.botUserId);
  if (dm !== undefined) await olivia.join(dm.roomId);
  const delivery = await olivia.waitForMessage((m) => bodyOf(m).includes(`mwt_${id}_`), { timeoutMs: 40_000 });
  message('Olivia’s DM', 'mintwarden', masked(bodyOf(delivery)));
  check('it came encrypted, without a warning about its sender’s device', clean(delivery));
  return TOKEN.exec(bodyOf(delivery))?.[0] ?? '';
}

function clean(event: TimelineEvent): boolean {
  return event.wasEncrypted && event.shield?.colour === 'none' && event.signedByOwner === true;
}
