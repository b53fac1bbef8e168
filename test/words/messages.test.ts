import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/domain/grant.ts';
import type { Message, MessageBody } from '../../src/domain/message.ts';
import { renderMessage, type MessageContext } from '../../src/words/messages.ts';
import { toText } from '../../src/words/render.ts';
import { ADMIN, ALICE, BOB, grantWith, HOUR, messageWith, NOW } from './sample.ts';

const TOKEN = 'mwt_7F3K9Q_secretsecretsecret';
const context: MessageContext = {
  now: NOW,
  gatewayUrl: 'https://mint.example.org',
  homeserver: 'example.org',
  admins: [ADMIN],
  deliverWithinMs: 900_000,
  redactAfterMs: 600_000,
};

function said(
  body: MessageBody,
  grant: Partial<Grant> = {},
  more: Partial<MessageContext> = {},
  message: Partial<Message> = {},
): string {
  const rendered = renderMessage(messageWith(body, message), grantWith(grant), { ...context, ...more });
  return `[${rendered.msgtype}${rendered.mentions.length > 0 ? `, rings ${rendered.mentions.join(' ')}` : ''}]\n${toText(rendered.document)}`;
}

const over: Partial<Grant> = { state: 'ended', endedAt: NOW - 60_000, endedBy: ADMIN, endCause: 'revoked' };
const toDm: Partial<Message> = { to: { kind: 'dm', userId: ALICE, replyTo: null } };

describe('the words of each message', () => {
  it('minted', () => {
    expect(said({ kind: 'minted', recipientJoined: true }, {}, { notice: 'accepted' }))
      .toMatchInlineSnapshot(`
      "[m.notice]
      Grant 7F3K9Q is live. It speaks for @alice:example.org and can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.

      - Reason: “weekly report”
      - @alice:example.org has been told.
      - The token goes to @ada:example.org, by encrypted direct message.

      To end it: \`!revoke 7F3K9Q\`"
    `);
    expect(said({ kind: 'minted', recipientJoined: false }, { recipient: BOB, reason: null }))
      .toMatchInlineSnapshot(`
      "[m.notice]
      Grant 7F3K9Q is live. It speaks for @alice:example.org and can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.

      - Reason: none was given.
      - @alice:example.org is being told now; the token goes out only once the homeserver has taken that message.
      - The token waits for @bob:example.org: they have not accepted my invitation to a direct message yet. If that does not happen by 13:20 UTC (in 15 min), the grant ends.

      To end it: \`!revoke 7F3K9Q\`"
    `);
    expect(said({ kind: 'minted', recipientJoined: true }, over)).toMatchInlineSnapshot(`
      "[m.notice]
      Grant 7F3K9Q for @alice:example.org was made, and has ended again.

      - It ended: @ada:example.org revoked it.
      - When: 13:04 UTC (1 min ago)
      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - It cannot be brought back. For a new one: \`!mint @alice:example.org --rooms !ops:example.org --read-only --ttl 1h --reason "weekly report"\`"
    `);
  });

  it('minted, by creators with a wildcard, which is warned of; whole names are not', () => {
    const by = (...names: string[]): Partial<Grant> => ({
      scope: { v: 1, rooms: 'all', can: ['read'], by: names as never },
    });
    const body: MessageBody = { kind: 'minted', recipientJoined: true };
    const warned = said(body, by('@bot:x.org', '@whatsapp_*:x.org'));
    expect(warned).toContain('Careful: @whatsapp_*:x.org is anyone with such a name.');
    expect(said(body, by('@bot:x.org'))).not.toContain('Careful');
  });

  it('mint-failed', () => {
    const failed: Partial<Grant> = { state: 'failed', endedAt: NOW };
    expect(
      said(
        {
          kind: 'mint-failed',
          sentence: 'The homeserver did not answer.',
          next: 'Try again.',
          orphanUntil: NOW + HOUR,
        },
        failed,
      ),
    ).toMatchInlineSnapshot(`
        "[m.notice]
        No token was made for @alice:example.org. The homeserver did not answer. Try again.

        The homeserver may have made a token of its own without telling us. Nobody holds it. The homeserver ends it by itself at 14:05 UTC (in 1 h).

        - Grant 7F3K9Q failed and stays so; there is nothing to undo. It was asked for as: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
        - To try again: \`!mint @alice:example.org --rooms !ops:example.org --read-only --ttl 1h --reason "weekly report"\`"
      `);
    expect(
      said(
        { kind: 'mint-failed', sentence: 'The homeserver refused.', next: null, orphanUntil: null },
        failed,
      ),
    ).toMatchInlineSnapshot(`
        "[m.notice]
        No token was made for @alice:example.org. The homeserver refused.

        - Grant 7F3K9Q failed and stays so; there is nothing to undo. It was asked for as: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
        - To try again: \`!mint @alice:example.org --rooms !ops:example.org --read-only --ttl 1h --reason "weekly report"\`"
      `);
  });

  it('notice', () => {
    expect(said({ kind: 'notice' }, {}, {}, toDm)).toMatchInlineSnapshot(`
      "[m.text, rings @alice:example.org]
      An administrator made an access token that speaks for you, @alice:example.org. Anyone who holds it can use your account for what is listed here, and nothing else.

      - It can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - Made by: @ada:example.org, at 13:05 UTC
      - Who gets it: @ada:example.org
      - Reason: “weekly report”
      - Its id: 7F3K9Q

      To end it at once, write \`!revoke 7F3K9Q\` here. You need not give a reason. Questions? Ask @ada:example.org."
    `);
    expect(
      said({ kind: 'notice' }, { minter: 'operator:root', reason: null }, { channel: 'server-notice' }, toDm),
    ).toMatchInlineSnapshot(`
      "[m.text, rings @alice:example.org]
      An administrator made an access token that speaks for you, @alice:example.org. Anyone who holds it can use your account for what is listed here, and nothing else.

      - It can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - Made by: the operator “root” at the server, at 13:05 UTC
      - Who gets it: @ada:example.org
      - Reason: none was given.
      - Its id: 7F3K9Q

      Is this not right? Ask @ada:example.org to end it; nobody reads answers in this room."
    `);
  });

  it('token', () => {
    expect(said({ kind: 'token' }, {}, { token: TOKEN }, { redactAt: NOW + 600_000 })).toMatchInlineSnapshot(`
      "[m.text, rings @ada:example.org]
      Here is your token for @alice:example.org (grant 7F3K9Q). Keep it like a password: anyone who has it can use it.

      mwt_7F3K9Q_secretsecretsecret

      - Base URL (in place of that of example.org): \`https://mint.example.org\`
      - User id: \`@alice:example.org\`
      - It can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - Reason: “weekly report”

      To try it, paste this into bash or zsh, then paste the token (nothing shows) and press Enter:

      read -rs MWT && printf 'header = "Authorization: Bearer %s"\\n' "$MWT" | curl -sS -w '\\n' --config - 'https://mint.example.org/_matrix/client/v3/account/whoami'; unset MWT

      To end it: \`!revoke 7F3K9Q\` in the control room, or log out with it (\`POST /_matrix/client/v3/logout\`).

      Store the token now: this message is removed at 13:15 UTC (in 10 min), and the token is not shown again."
    `);
    expect(said({ kind: 'token' }, { recipient: BOB }, { token: TOKEN })).toContain(
      'To end it: log out with it',
    );
    expect(said({ kind: 'token' }, { recipient: ALICE }, { token: TOKEN })).toContain(
      'write `!revoke 7F3K9Q` here',
    );
    expect(() => said({ kind: 'token' })).toThrow('not handed in');
  });

  it('the end', () => {
    expect(said({ kind: 'ended-notice', cause: 'revoked', by: ADMIN }, over)).toMatchInlineSnapshot(`
      "[m.notice]
      The token 7F3K9Q that spoke for you, @alice:example.org, no longer works: @ada:example.org revoked it.

      - When: 13:04 UTC (1 min ago)
      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - You need not do anything. Questions? Ask @ada:example.org."
    `);
    expect(said({ kind: 'ended-report', cause: 'withdrawn', by: 'holder' }, over)).toMatchInlineSnapshot(`
      "[m.notice, rings @ada:example.org]
      Grant 7F3K9Q for @alice:example.org has ended: its holder logged out.

      - When: 13:04 UTC (1 min ago)
      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - It cannot be brought back. For a new one: \`!mint @alice:example.org --rooms !ops:example.org --read-only --ttl 1h --reason "weekly report"\`"
    `);
    expect(said({ kind: 'revoked', upstream: 'killing' }, over)).toMatchInlineSnapshot(`
      "[m.notice]
      Grant 7F3K9Q for @alice:example.org is revoked. Its token stopped working at 13:04 UTC (1 min ago).

      - The homeserver’s own token behind it is being logged out; \`!show 7F3K9Q\` says when that is confirmed.
      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - It cannot be brought back. For a new one: \`!mint @alice:example.org --rooms !ops:example.org --read-only --ttl 1h --reason "weekly report"\`"
    `);
    expect(said({ kind: 'revoked', upstream: 'dead' }, over)).toContain('is dead too');
    expect(said({ kind: 'revoked-by-subject' }, over, {}, toDm)).toMatchInlineSnapshot(`
      "[m.notice]
      Done: you ended grant 7F3K9Q. Its token stopped working at 13:04 UTC (1 min ago).

      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - The administrators are told that you ended it."
    `);
    expect(said({ kind: 'revoked-by-subject' }, over)).toMatchInlineSnapshot(`
      "[m.notice, rings @ada:example.org]
      @alice:example.org ended grant 7F3K9Q, which spoke for them. Its token stopped working at 13:04 UTC (1 min ago).

      - What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send.
      - Talk to them before you make another one."
    `);
  });

  it('what the control room should look at', () => {
    expect(said({ kind: 'delivery-waiting', why: 'not-joined', giveUpAt: NOW + 900_000 }))
      .toMatchInlineSnapshot(`
      "[m.notice, rings @ada:example.org]
      The token of grant 7F3K9Q is still waiting: @ada:example.org has not accepted my invitation to a direct message.

      - It speaks for @alice:example.org and can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - If it cannot be delivered by 13:20 UTC (in 15 min), the grant ends.
      - I try again when something changes. To try at once: \`!deliver 7F3K9Q\`
      - To end it: \`!revoke 7F3K9Q\`"
    `);
    expect(said({ kind: 'delivery-waiting', why: 'no-signed-device', giveUpAt: NOW })).toContain(
      'verify one of their sessions',
    );
    expect(said({ kind: 'delivery-waiting', why: 'room-unsafe', giveUpAt: NOW })).toContain(
      'nobody but the two of us',
    );
    expect(said({ kind: 'upstream-alive', why: 'unkillable', until: NOW + HOUR }, over))
      .toMatchInlineSnapshot(`
      "[m.text, rings @ada:example.org]
      I could not log out the homeserver’s own token behind grant 7F3K9Q for @alice:example.org, and have given up trying. Nobody but me has it, and I no longer use it. The homeserver ends it by itself at 14:05 UTC (in 1 h). Please look at why the homeserver refuses.

      - The grant is over. What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send."
    `);
    expect(said({ kind: 'upstream-alive', why: 'orphan', until: NOW + HOUR }, over)).toMatchInlineSnapshot(`
      "[m.notice, rings @ada:example.org]
      The homeserver may have made a token for grant 7F3K9Q for @alice:example.org without telling us. Nobody holds it. The homeserver ends it by itself at 14:05 UTC (in 1 h).

      - The grant is over. What it could do: can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send."
    `);
    expect(said({ kind: 'upstream-alive', why: 'died-early', until: NOW + HOUR })).toMatchInlineSnapshot(`
      "[m.notice, rings @ada:example.org]
      The homeserver ended its own token behind grant 7F3K9Q for @alice:example.org before its time. Somebody may have logged it out. I look the user up and ask for a new one.

      - The grant can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - To end it: \`!revoke 7F3K9Q\`"
    `);
    expect(said({ kind: 'suspended', on: true })).toMatchInlineSnapshot(`
      "[m.notice]
      Grant 7F3K9Q is suspended: the account of @alice:example.org was locked. Its token is refused until the account is unlocked.

      - It can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h.
      - To end it: \`!revoke 7F3K9Q\`"
    `);
    expect(said({ kind: 'suspended', on: false })).toContain('works again');
  });

  it('only the message with the token has the token in it', () => {
    const kinds: MessageBody[] = [
      { kind: 'minted', recipientJoined: true },
      { kind: 'notice' },
      { kind: 'revoked', upstream: 'dead' },
    ];
    for (const body of kinds) expect(said(body, {}, { token: TOKEN })).not.toContain(TOKEN);
  });
});
