import type { EncryptedClient, TimelineEvent } from './encrypted-client.ts';
import { HarnessError } from './harness-error.ts';
import type { Stage } from './stage.ts';

const TOKEN = /mwt_[0-9A-Z]+_[0-9A-Za-z]{49}/;
const GRANT = /\b[0-9A-HJKMNP-TV-Z]{6,10}\b/;

/** What a message says, as text. */
export function textOf(event: TimelineEvent): string {
  return String(event.content['body']);
}

/**
 * The message came encrypted, from a device its owner has signed, and the client draws no warning beside it.
 */
export function isClean(event: TimelineEvent): boolean {
  return (
    event.wasEncrypted &&
    event.undecryptable === null &&
    event.signedByOwner === true &&
    (event.shield === null || event.shield.colour === 'none')
  );
}

/** The first grant id in a text. Throws `HarnessError` where there is none. */
export function grantIn(text: string): string {
  const id = GRANT.exec(text)?.[0];
  if (id === undefined) throw new HarnessError(`There is no grant id in: ${text}`);
  return id;
}

/** Types a line into the control room, as olivia, and gives the bot's reply. */
export async function command(stage: Stage, line: string): Promise<TimelineEvent> {
  const eventId = await stage.olivia.say(stage.mintwarden.controlRoomId, line);
  return stage.olivia.waitForReply(eventId, { what: `the reply to ${line}` });
}

/** Mints and gives the grant's id. Throws `HarnessError` with the bot's words where nothing was made. */
export async function mint(stage: Stage, line: string): Promise<string> {
  const text = textOf(await command(stage, line));
  if (!/\blive\b/i.test(text)) throw new HarnessError(`Not minted: ${text}`);
  return grantIn(text);
}

/** Joins the DM with the bot if there is an invitation to one. */
export async function joinDm(stage: Stage, who: EncryptedClient): Promise<void> {
  for (const invite of who.invites().filter((i) => i.inviter === stage.mintwarden.botUserId && i.isDirect))
    await who.join(invite.roomId);
}

/**
 * Waits for the message with the grant's token, joining the DM if need be, and gives both. It has to be
 * clean; a client may need a moment to learn that the sender's device is signed.
 */
export async function takeDelivery(
  stage: Stage,
  who: EncryptedClient,
  grantId: string,
): Promise<{ token: string; message: TimelineEvent }> {
  const arrived = who.waitForMessage((m) => textOf(m).includes(`mwt_${grantId}_`) && isClean(m), {
    timeoutMs: 45_000,
    what: 'the token',
  });
  const invited = who
    .waitForInvite((i) => i.inviter === stage.mintwarden.botUserId && i.isDirect, { timeoutMs: 45_000 })
    .catch(() => null);
  await Promise.race([arrived, invited]);
  await joinDm(stage, who);
  const message = await arrived;
  return { token: TOKEN.exec(textOf(message))?.[0] ?? '', message };
}

/** Waits for the notice of a grant, joining the DM if need be. It has to be clean, as a delivery. */
export async function takeNotice(
  stage: Stage,
  who: EncryptedClient,
  grantId: string,
): Promise<TimelineEvent> {
  const arrived = who.waitForMessage(
    (m) => isClean(m) && m.sender === stage.mintwarden.botUserId && textOf(m).includes(grantId),
    {
      timeoutMs: 45_000,
      what: 'the notice',
    },
  );
  const invited = who
    .waitForInvite((i) => i.inviter === stage.mintwarden.botUserId && i.isDirect, { timeoutMs: 45_000 })
    .catch(() => null);
  await Promise.race([arrived, invited]);
  await joinDm(stage, who);
  return arrived;
}
