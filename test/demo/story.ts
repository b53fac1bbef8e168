import { command, grantIn, isClean, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import type { Stage } from '../harness/stage.ts';
import { syncedRooms } from '../harness/holder.ts';
import { ask } from './holder.ts';
import type { Holder } from './holder.ts';
import { aside, check, message, scene } from './screen.ts';
import { until } from '../support/wait.ts';

const masked = (text: string): string => text.replace(/(mwt_[0-9A-Z]+_)\w+/g, '$1…');

/** Plays the whole story, showing each message as an independent client decrypted it. */
export async function playTheStory(stage: Stage): Promise<void> {
  const { alice, olivia, mintwarden } = stage;
  const room = encodeURIComponent(stage.ops);

  scene('1. Olivia mints a token for one of alice’s rooms');
  const first = await mintAloud(
    stage,
    `!mint @alice --rooms ${stage.ops} --read-only --ttl 1h --reason "status screen in the hall"`,
  );

  scene('2. Alice is told');
  const invite = await alice.waitForInvite((i) => i.inviter === mintwarden.botUserId);
  message('invitation to alice', 'mintwarden', invite.reason ?? '(no reason)');
  const notice = await takeNotice(stage, alice, first);
  message('alice’s DM', 'mintwarden', textOf(notice));
  check('it came encrypted, without a warning about its sender’s device', isClean(notice));

  scene('3. The token reaches Olivia, once, encrypted');
  const holder = await takeTokenAloud(stage, first);

  scene('4. A client uses it through the gateway');
  check('it reads Ops', (await ask(holder, 'GET', `/rooms/${room}/messages?dir=b&limit=5`)).status === 200);
  const elsewhere = await ask(
    holder,
    'GET',
    `/rooms/${encodeURIComponent(stage.diary)}/messages?dir=b&limit=5`,
  );
  check('it cannot read Diary', elsewhere.status === 403);
  const sent = await ask(holder, 'PUT', `/rooms/${room}/send/m.room.message/1`, {
    msgtype: 'm.text',
    body: 'hello',
  });
  check('it cannot send', sent.status === 403);
  const sync = await ask(holder, 'GET', '/sync?timeout=0');
  check('its /sync shows one room, Ops', syncedRooms(sync.body).join() === stage.ops);

  scene('5. Olivia revokes it while a /sync is open');
  const open = ask(
    holder,
    'GET',
    `/sync?timeout=30000&since=${encodeURIComponent(String(sync.body['next_batch']))}`,
  );
  await until(async () => (await mintwarden.metric('mintwarden_gateway_open_long_polls')) > 0);
  const begun = performance.now();
  await sayAloud(stage, `!revoke ${first}`);
  check('the open /sync ended at once', (await open).status === 401 && performance.now() - begun < 5_000);
  check('the token is refused', (await ask(holder, 'GET', '/account/whoami')).status === 401);
  const told = await alice.waitForMessage(
    (m) => m.roomId === notice.roomId && m.eventId !== notice.eventId && textOf(m).includes(first),
  );
  message('alice’s DM', 'mintwarden', textOf(told));

  scene('6. A token of ten seconds expires by itself');
  const second = await mintAloud(stage, `!mint @alice --rooms ${stage.ops} --read-only --ttl 10s`);
  const brief = await takeTokenAloud(stage, second);
  check('it works', (await ask(brief, 'GET', '/joined_rooms')).status === 200);
  aside('waiting for it to end');
  const over = await olivia.waitForMessage(
    (m) => m.roomId === mintwarden.controlRoomId && /expired/i.test(textOf(m)) && textOf(m).includes(second),
    { timeoutMs: 30_000, what: 'the news that it expired' },
  );
  message('control room', 'mintwarden', textOf(over));
  check('it is refused', (await ask(brief, 'GET', '/joined_rooms')).status === 401);

  scene('7. Alice ends one herself');
  const third = await mintAloud(stage, `!mint @alice --rooms ${stage.ops} --ttl 1h`);
  const last = await takeTokenAloud(stage, third);
  check('it works', (await ask(last, 'GET', '/joined_rooms')).status === 200);
  message('alice’s DM', 'alice', `!revoke ${third}`);
  const hers = await alice.say(notice.roomId, `!revoke ${third}`);
  message('alice’s DM', 'mintwarden', textOf(await alice.waitForReply(hers)));
  check('it is refused', (await ask(last, 'GET', '/joined_rooms')).status === 401);
}

async function sayAloud(stage: Stage, line: string): Promise<string> {
  message('control room', 'olivia', line);
  const text = textOf(await command(stage, line));
  message('control room', 'mintwarden', text);
  return text;
}

async function mintAloud(stage: Stage, line: string): Promise<string> {
  const text = await sayAloud(stage, line);
  check('the grant is live', /\blive\b/i.test(text));
  return grantIn(text);
}

async function takeTokenAloud(stage: Stage, grantId: string): Promise<Holder> {
  const { token, message: delivery } = await takeDelivery(stage, stage.olivia, grantId);
  message('olivia’s DM', 'mintwarden', masked(textOf(delivery)));
  check('it came encrypted, without a warning about its sender’s device', isClean(delivery));
  return { stage, token };
}
