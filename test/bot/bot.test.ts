import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import type { EventId, RoomId, UserId } from '../../src/domain/ids.ts';
import { ADA, ALICE, BOB, botStage, dmOf, NOW, OPS, type BotStage } from './support/stage.ts';

const MINT = `!mint @alice --rooms ${OPS} --read-only --ttl 1h`;
let stage: BotStage;

beforeEach(async () => {
  stage = await botStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

async function grants() {
  return stage.services.ledger.grants({ limit: 100 });
}

async function mintedId(): Promise<string> {
  await stage.says(MINT);
  return (await grants())[0]?.id ?? '';
}

describe('a command in the control room', () => {
  it('mints, and leaves the answer to the outbox', async () => {
    expect(await stage.says(MINT, { eventId: '$mint' as EventId })).toBe('');
    const [grant] = await grants();
    expect(grant).toMatchObject({
      subject: ALICE,
      minter: ADA,
      recipient: ADA,
      state: 'live',
      ttlMs: 3_600_000,
      scope: { rooms: [OPS] },
    });
    const messages = await stage.services.ledger.messages(grant?.id as never);
    expect(messages.find(({ body }) => body.kind === 'minted')?.to).toEqual({
      kind: 'control',
      replyTo: '$mint',
    });
  });

  it('shows a preview, and makes nothing', async () => {
    expect(await stage.says(`${MINT} --dry-run --reason it's fine`)).toMatchInlineSnapshot(`
      "Nothing was made. Without \`--dry-run\` there would be a grant that speaks for @alice:x.org and can read 1 room, “Ops” (!ops:x.org); cannot send; until 14:05 UTC, in 1 h.

      - Reason: “it's fine”
      - @alice:x.org would be told first.
      - The token would go to @ada:x.org, by encrypted direct message.
      - To make it: \`!mint @alice:x.org --rooms !ops:x.org --read-only --ttl 1h --reason "it's fine"\`"
    `);
    expect(await grants()).toEqual([]);
  });

  it('is answered by a notice that replies to it, encrypted', async () => {
    await stage.says('!help', { eventId: '$help' as EventId });
    expect(stage.sent).toHaveLength(1);
    expect(stage.sent[0]).toMatchObject({
      expect: 'encrypted',
      content: { msgtype: 'm.notice', replyTo: '$help', mentions: [] },
    });
  });

  it('acts and answers once, however often its event comes, also after a restart', async () => {
    const event = {
      eventId: '$once' as EventId,
      encryption: {
        sessionId: 's',
        messageIndex: 7,
        deviceSigned: true,
        masterKey: 'MASTER',
        isReplaced: false,
      },
    };
    await Promise.all([stage.says(MINT, event), stage.says(MINT, event)]);
    await stage.says(MINT, event);
    stage.bot = stage.restarted();
    await stage.says(MINT, event);
    await stage.says(MINT, { ...event, eventId: '$replayed-under-another-id' as EventId });
    expect(await grants()).toHaveLength(1);
    await stage.says('!list', { eventId: '$list' as EventId });
    await stage.says('!list', { eventId: '$list' as EventId });
    expect(stage.attempts).toHaveLength(1);
  });

  it('that failed is not run again', async () => {
    const event = { eventId: '$bad' as EventId };
    expect(await stage.says('!mint @nobody --rooms all', event)).toContain('There is no user @nobody:x.org');
    expect(await stage.says(MINT, event)).toBe('');
    expect(await grants()).toEqual([]);
  });

  it('answers again with the same transaction id if it was cut off before it was noted', async () => {
    const { ledger } = stage.services;
    const commit = ledger.commit.bind(ledger);
    let cut = true;
    Object.assign(ledger, {
      commit: (change: never) =>
        cut && 'command' in (change as object) ? Promise.reject(new Error('killed')) : commit(change),
    });
    await stage.says('!list', { eventId: '$cut' as EventId });
    cut = false;
    stage.bot = stage.restarted();
    await stage.says('!list', { eventId: '$cut' as EventId });
    expect(new Set(stage.attempts).size).toBeLessThanOrEqual(2);
    expect(stage.sent.filter(({ content }) => content.body.includes('No live grants'))).toHaveLength(1);
  });

  it('tries again to answer while the homeserver is away', async () => {
    stage.failures = [new MintwardenError('homeserver-unreachable', 'away')];
    expect(await stage.says('!list')).toContain('No live grants');
    expect(stage.attempts).toHaveLength(2);
  });

  it('that only looks comes again if its answer could not be sent; one that acts is answered in the end, and not run again', async () => {
    const away = () => Array.from({ length: 3 }, () => new MintwardenError('homeserver-unreachable', 'away'));
    stage.failures = away();
    await expect(stage.says('!list', { eventId: '$look' as EventId })).rejects.toThrow('away');
    expect(await stage.says('!list', { eventId: '$look' as EventId })).toContain('No live grants');
    stage.failures = away();
    await stage.says('!mint @nobody --rooms all', { eventId: '$act' as EventId });
    await expect.poll(() => stage.sent.at(-1)?.content.body).toContain('There is no user @nobody:x.org');
    expect(await stage.says('!mint @nobody --rooms all', { eventId: '$act' as EventId })).toBe('');
    expect(stage.sent).toHaveLength(2);
  });

  it('comes again if the homeserver was away before anything was done', async () => {
    const before = { ...stage.services.chat };
    Object.assign(stage.services.chat, {
      controlRoom: () => Promise.reject(new MintwardenError('homeserver-unreachable', 'away')),
    });
    await expect(stage.says(MINT, { eventId: '$m' as EventId })).rejects.toThrow('away');
    Object.assign(stage.services.chat, before);
    await stage.says(MINT, { eventId: '$m' as EventId });
    expect(await grants()).toHaveLength(1);
  });

  it.each([
    ['in the clear', { encryption: null }, /unencrypted/],
    ['edited', { isEdit: true }, /edited/],
    ['old', { sentAt: NOW - 301_000 }, /5 min/],
    [
      'from a session not verified',
      {
        encryption: {
          sessionId: 's',
          messageIndex: 1,
          deviceSigned: false,
          masterKey: 'MASTER',
          isReplaced: false,
        },
      },
      /not verified/,
    ],
    ['from a member who is not permitted', { sender: BOB }, /not on the list/],
    ['from somebody who is not in the room', { sender: '@eve:x.org' as UserId }, /^$/],
    ['from the bot itself', { sender: '@mintwarden:x.org' as UserId }, /^$/],
  ])('%s does nothing', async (_, some, answer) => {
    expect(await stage.says(MINT, some)).toMatch(answer);
    expect(await grants()).toEqual([]);
  });

  it.each<[string, { sentAt?: number; deviceSigned?: boolean }]>([
    ['as too old', { sentAt: NOW - 301_000 }],
    ['from a session verified only later', { deviceSigned: false }],
  ])(
    'refused %s does not count when the homeserver brings it again under another id and date',
    async (_, { sentAt = NOW, deviceSigned = true }) => {
      const encryption = { sessionId: 'held-back', messageIndex: 4, masterKey: 'MASTER', isReplaced: false };
      expect(
        await stage.says(MINT, {
          eventId: '$held' as EventId,
          sentAt,
          encryption: { ...encryption, deviceSigned },
        }),
      ).not.toBe('');
      const again = { eventId: '$again' as EventId, encryption: { ...encryption, deviceSigned: true } };
      expect(await stage.says(MINT, again)).toBe('');
      expect(await grants()).toEqual([]);
    },
  );

  it('of those not on the list leaves nothing behind in the ledger, however many they write', async () => {
    const encryption = {
      sessionId: 'bobs',
      messageIndex: 0,
      deviceSigned: true,
      masterKey: 'BOB',
      isReplaced: false,
    };
    await stage.says(MINT, { sender: BOB, eventId: '$bob' as EventId, encryption });
    expect(await stage.services.ledger.commandSeen('$bob' as EventId, 'bobs', 0)).toBe(false);
  });

  it('is refused quietly from those not permitted: once an hour', async () => {
    expect(await stage.says('!list', { sender: BOB })).toContain('not on the list');
    expect(await stage.says('!list', { sender: BOB })).toBe('');
  });

  it('remembers the first master key, and refuses another', async () => {
    await stage.says('!list');
    expect(await stage.services.ledger.pin(ADA)).toMatchObject({ masterKey: 'MASTER' });
    const other = {
      encryption: {
        sessionId: 'evil',
        messageIndex: 0,
        deviceSigned: true,
        masterKey: 'OTHER',
        isReplaced: false,
      },
    };
    expect(await stage.says(MINT, other)).toContain('not the one I first saw');
    expect(await grants()).toEqual([]);
  });

  it('in a room that is not private is taken only if it takes power away or tells little', async () => {
    const id = await mintedId();
    stage.room = { ...stage.room, joinRule: 'public' };
    expect(await stage.says(MINT)).toContain('without an invitation');
    expect(await stage.says('!list')).toContain('without an invitation');
    expect(await stage.says('!status')).toContain('Something needs looking at.');
    expect(await stage.says(`!revoke ${id}`)).toBe('');
    expect((await grants())[0]?.state).toBe('ended');
  });

  it('in a room without encryption, not even !revoke is taken', async () => {
    const id = await mintedId();
    stage.room = { ...stage.room, encrypted: false };
    expect(await stage.says(`!revoke ${id}`, { encryption: null })).toContain('not encrypted');
    expect(await stage.says('!help', { encryption: null })).toContain('!mint USER');
    expect(stage.sent.at(-1)?.expect).toBe('plain');
    expect((await grants())[0]?.state).toBe('live');
  });

  it('leaves other bots’ commands alone, and corrects slips', async () => {
    expect(await stage.says('!weather tomorrow')).toBe('');
    expect(await stage.says('good morning')).toBe('');
    expect(await stage.says('!mnit @alice --rooms all')).toContain('`!mint @alice --rooms all`');
    expect(await stage.says('!mw weather')).toContain('no command “weather”');
    expect(await stage.says('@mintwarden:x.org: list')).toContain('No live grants');
    expect(await stage.says('!mw')).toContain('!mint USER');
  });

  it('says what went wrong inside by a reference only', async () => {
    Object.assign(stage.services.ledger, { grants: () => Promise.reject(new TypeError('the secret text')) });
    const said = await stage.says('!list --user @alice');
    const ref = /\(ref ([0-9a-f]{6})\)/.exec(said)?.[1];
    expect(ref).toBeDefined();
    const lines = stage.log.lines.filter(({ level }) => level === 'error');
    expect(lines[0]?.data).toMatchObject({ ref, verb: 'list', error: 'TypeError' });
    expect(JSON.stringify(stage.log.lines)).not.toContain('secret text');
    expect(said).not.toContain('secret text');
  });

  it('of the issuer account is none, though policy and room would have it', async () => {
    const issuer = '@mintwarden-issuer:x.org' as UserId;
    stage.policy = { ...stage.policy, admins: [ADA, issuer] };
    stage.room = { ...stage.room, joined: [...stage.room.joined, issuer] };
    expect(await stage.says(MINT, { sender: issuer })).toBe('');
    expect(await grants()).toEqual([]);
    expect(await stage.says('!list')).toContain('No live grants');
  });

  it('says what our own code found wrong by a reference too: its words are for the log’s reader', async () => {
    const error = new MintwardenError('internal', 'the secret text', 'the secret hint');
    Object.assign(stage.services.ledger, { grants: () => Promise.reject(error) });
    const said = await stage.says('!list --user @alice');
    expect(said).toMatch(/\(ref [0-9a-f]{6}\)/);
    expect(said + JSON.stringify(stage.log.lines)).not.toContain('the secret');
  });

  it('never stands in the log', async () => {
    for (const text of ['!list --user @Zebra', '!mint "zebra', '!mint @alice --rooms !zebra --reason zebra'])
      await stage.says(text);
    expect(JSON.stringify(stage.log.lines).toLowerCase()).not.toContain('zebra');
  });

  it('that could not be decrypted is asked for again, from administrators, once in a while', async () => {
    const event = {
      kind: 'undecryptable',
      roomId: stage.room.roomId,
      eventId: '$u' as EventId,
      sender: ADA,
    } as const;
    await stage.bot.handle(event);
    await stage.bot.handle({ ...event, eventId: '$v' as EventId });
    await stage.bot.handle({ ...event, eventId: '$w' as EventId, sender: BOB });
    expect(stage.sent.map(({ content }) => content.body)).toEqual([
      expect.stringContaining('could not decrypt'),
    ]);
  });

  it('that was left out of a flood is told of once in a while, in the person’s own DM', async () => {
    const event = {
      kind: 'left-out',
      roomId: dmOf(ALICE),
      eventId: '$f' as EventId,
      sender: ALICE,
    } as const;
    for (let index = 0; index < 50; index++)
      await stage.bot.handle({ ...event, eventId: `$f${index}` as EventId });
    await stage.bot.handle({ ...event, roomId: stage.room.roomId, sender: BOB });
    await stage.bot.handle({ ...event, roomId: OPS, sender: BOB });
    expect(stage.sent.map(({ roomId, content }) => [roomId, content.body])).toEqual([
      [dmOf(ALICE), expect.stringContaining('faster than I read')],
    ]);
    stage.now += 3_600_000;
    await stage.bot.handle({ ...event, eventId: '$later' as EventId });
    expect(stage.sent).toHaveLength(2);
  });

  it('list and show name what there is, and how to end it', async () => {
    expect(await stage.says('!list')).toBe(
      'No live grants. To make one: `!mint @alice:x.org --rooms ROOMS --ttl 1h`',
    );
    const id = await mintedId();
    expect((await stage.says('!list')).replaceAll(id, 'GRANT1')).toMatchInlineSnapshot(`
      "1 live grant, the newest first. More about one: \`!show ID\`

      - GRANT1 for @alice:x.org: can read 1 room, “Ops” (!ops:x.org); cannot send; until 14:05 UTC, in 1 h. To end it: \`!revoke GRANT1\`"
    `);
    expect((await stage.says(`!show ${id.slice(0, 4).toLowerCase()}`)).replaceAll(id, 'GRANT1'))
      .toMatchInlineSnapshot(`
      "Grant GRANT1 speaks for @alice:x.org: can read 1 room, “Ops” (!ops:x.org); cannot send; until 14:05 UTC, in 1 h.

      - State: live
      - Room: “Ops”, \`!ops:x.org\`
      - Made by @ada:x.org at 13:05 UTC (now), for 1 hour
      - Recipient: @ada:x.org
      - Reason: none was given.
      - Notice to @alice:x.org: not sent yet
      - Token: not sent yet. The grant ends if that lasts until 13:20 UTC (in 15 min).
      - Homeserver’s own token behind it: alive until 14:05 UTC (in 1 h)

      To end it: \`!revoke GRANT1\`"
    `);
    expect((await stage.says('!status')).replace(/newest \w+/, 'newest HASH')).toMatchInlineSnapshot(`
      "Nothing needs looking at.

      - 1 live grant: \`!list\`
      - Waiting: 3 messages to send, 0 tokens to log out
      - Audit: 3 rows, the newest HASH"
    `);
    await stage.says(`!revoke ${id}`);
    expect(await stage.says(`!show ${id}`)).toContain('@ada:x.org revoked it');
    expect(await stage.says('!list --all --user @alice')).toContain('1 grant for @alice:x.org');
  });

  it('help is good', async () => {
    expect(await stage.says('!help')).toMatchInlineSnapshot(`
      "I make access tokens that can do little, for a short time, and tell the user they speak for.

      - \`!mint USER --rooms ROOMS [--read-only] [--can CAPABILITIES] [--ttl TIME] [--to USER] [--reason TEXT] [--dry-run] […]\`: make a token that speaks for a user, in the rooms you name, for a time
      - \`!list [--user USER] [--all]\`: show the live grants
      - \`!show ID\`: show all there is to know of a grant
      - \`!can ID METHOD PATH [BODY]\`: say whether a request with a token would pass, and why; nothing is sent
      - \`!revoke ID\`: end a grant, now
      - \`!deliver ID\`: try again to hand over a token that waits
      - \`!status\`: show whether all is well, and what waits
      - \`!help [COMMAND]\`: show this, or more about one command

      More about one, with examples: \`!help mint\`. \`!mw\` before a command makes sure that I am meant."
    `);
    expect(await stage.says('!help mint')).toMatchInlineSnapshot(`
      "\`!mint USER --rooms ROOMS [--read-only] [--can CAPABILITIES] [--ttl TIME] [--to USER] [--reason TEXT] [--dry-run] [--rooms-by USERS] [--preset NAME] [--types TYPES] [--power LEVEL] [--allow ENDPOINTS] [--deny ENDPOINTS] [--from NETWORKS] [--uses COUNT] [--follow-upgrades]\`: make a token that speaks for a user, in the rooms you name, for a time

      - \`USER\`: the user the token speaks for: @alice, @alice:server, a pill or a link
      - \`--rooms ROOMS\`: what it can see: ids, beginnings of ids, aliases or links, with commas between them; or all (required)
      - \`--read-only\`: it can read and nothing else; so it is also if not said
      - \`--can CAPABILITIES\`: what it can do, with commas between; see !help capabilities
      - \`--ttl TIME\`: how long it lives: 30m, 1h30m, 2d; 1 hour if not said, at most 1 day
      - \`--to USER\`: who gets the token, instead of you
      - \`--reason TEXT\`: why; the user it speaks for reads this
      - \`--dry-run\`: show what would be made, and make nothing
      - \`--rooms-by USERS\`: instead of --rooms: every room that one of these made, later ones too; @bot, @bridge_*
      - \`--preset NAME\`: a named answer to --can; see !help presets
      - \`--types TYPES\`: of what it sends, only events of these types
      - \`--power LEVEL\`: it acts as if the user had at most this power level
      - \`--allow ENDPOINTS\`: only these endpoints: PUT /_matrix/client/v3/rooms/*/send/**, …
      - \`--deny ENDPOINTS\`: none of these endpoints, whatever --allow says
      - \`--from NETWORKS\`: where requests may come from: 10.0.0.0/8, 2001:db8::/32
      - \`--uses COUNT\`: how many requests it is good for
      - \`--follow-upgrades\`: when a room is replaced, the new one is in scope too

      Examples:

      - \`!mint @alice --rooms #ops:example.org --read-only --ttl 1h --reason "weekly report"\`
      - \`!mint @alice --rooms !abc…,!def… --to @bob --dry-run\`"
    `);
    expect(await stage.says('!help mnt')).toContain('`!help mint`');
  });
});

describe('a subject in their DM', () => {
  it('sees and ends what speaks for them, encrypted or not, with or without the !', async () => {
    const id = await mintedId();
    const seen = await stage.saysInDm(ALICE, 'tokens');
    expect(seen.replaceAll(id, 'GRANT1')).toMatchInlineSnapshot(`
      "1 token speaks for you. Who made one, and why: \`show ID\`

      - GRANT1: can read 1 room, “Ops” (!ops:x.org); cannot send; until 14:05 UTC, in 1 h. To end it: \`!revoke GRANT1\`"
    `);
    expect(stage.sent.at(-1)).toMatchObject({ roomId: dmOf(ALICE), expect: 'plain' });
    expect((await stage.saysInDm(ALICE, `!show ${id}`)).replaceAll(id, 'GRANT1')).toMatchInlineSnapshot(`
      "Grant GRANT1 speaks for @alice:x.org: can read 1 room, “Ops” (!ops:x.org); cannot send; until 14:05 UTC, in 1 h.

      - State: live
      - Room: “Ops”, \`!ops:x.org\`
      - Made by @ada:x.org at 13:05 UTC (now), for 1 hour
      - Recipient: @ada:x.org
      - Reason: none was given.
      - Token: not sent yet. The grant ends if that lasts until 13:20 UTC (in 15 min).

      To end it: \`!revoke GRANT1\`"
    `);
    expect(await stage.saysInDm(ALICE, `Revoke ${id}`)).toBe('');
    expect((await grants())[0]).toMatchObject({
      state: 'ended',
      endCause: 'ended-by-subject',
      endedBy: ALICE,
    });
  });

  it('learns nothing of other people’s grants: another’s id is answered like one that never was', async () => {
    const id = await mintedId();
    const adas = (await stage.saysInDm(ADA, `revoke ${id}`)).replaceAll(id, 'ID');
    const never = id === '000000' ? '111111' : '000000';
    const unknown = (await stage.saysInDm(ADA, `revoke ${never}`)).replaceAll(never, 'ID');
    expect(adas.replace('is no grant', 'is mistyped')).toBe(unknown.replace('is no grant', 'is mistyped'));
    expect((await grants())[0]?.state).toBe('live');
  });

  it('cannot be spoken for: neither in another room, nor by an old or edited message, nor twice', async () => {
    const id = await mintedId();
    expect(await stage.saysInDm(ALICE, `revoke ${id}`, { roomId: '!elsewhere:x.org' as RoomId })).toBe('');
    expect(await stage.says(`revoke ${id}`, { sender: BOB, roomId: dmOf(ALICE), encryption: null })).toBe('');
    expect(await stage.saysInDm(ALICE, `revoke ${id}`, { isEdit: true })).toContain('edited');
    expect(await stage.saysInDm(ALICE, `revoke ${id}`, { sentAt: NOW - 400_000 })).toContain('5 min');
    expect((await grants())[0]?.state).toBe('live');
  });

  it('has no administrator’s commands there', async () => {
    await stage.saysInDm(ADA, MINT);
    await stage.saysInDm(ADA, '!list');
    expect(await grants()).toEqual([]);
  });

  it('gets one hint an hour for other text', async () => {
    expect(await stage.saysInDm(ALICE, 'hello?')).toContain('I understand');
    expect(await stage.saysInDm(ALICE, 'hello??')).toBe('');
    stage.now += 3_600_000;
    expect(await stage.saysInDm(ALICE, 'hello???')).toContain('I understand');
    expect(await stage.saysInDm(ALICE, 'help')).toMatchInlineSnapshot(`
      "Here I tell you of access tokens that speak for you, and you can end them. You need no permission, and no reason.

      - \`tokens\`: show the tokens that speak for you
      - \`show ID\`: show who made a token that speaks for you, who has it, and why
      - \`revoke ID\`: end a token that speaks for you, now
      - \`can ID METHOD PATH [BODY]\`: say whether a request with a token that speaks for you would pass, and why; nothing is sent
      - \`help [COMMAND]\`: show this, or more about one command"
    `);
    expect(await stage.saysInDm(ALICE, 'tokens')).toBe('No token made here speaks for you.');
  });
});
