import { command, grantIn, takeNotice, textOf } from '../../harness/control-room.ts';
import type { EncryptedClient, TimelineEvent } from '../../harness/encrypted-client.ts';
import type { Stage } from '../../harness/stage.ts';

/** A message of the picture: where, who, what, as HTML. */
export interface Said {
  place: 'control room' | 'alice';
  who: 'olivia' | 'alice' | 'mintwarden';
  html: string;
}

/** What of a stage the conversation needs. `ops` has the alias `#ops:example.org`. */
export type ConversationStage = Pick<Stage, 'alice' | 'olivia' | 'ops'> & {
  mintwarden: Pick<Stage['mintwarden'], 'controlRoomId' | 'botUserId'>;
};

const MINT =
  '!mint @alice --rooms #ops:example.org --read-only --ttl 1h --reason "status screen in the hall"';

/**
 * Olivia mints, alice is told and ends it, the control room hears of it; with what differs from run to run
 * made alike.
 */
export async function haveTheConversation(stage: ConversationStage): Promise<Said[]> {
  const { alice, olivia, mintwarden } = stage;
  const minted = await command(stage as Stage, MINT);
  const grant = grantIn(textOf(minted));
  const notice = await takeNotice(stage as Stage, alice, grant);
  const revoke = `!revoke ${grant}`;
  const ended = await alice.waitForReply(await alice.say(notice.roomId, revoke));
  const heard = await olivia.waitForMessage(
    (m) =>
      m.roomId === mintwarden.controlRoomId &&
      m.sender === mintwarden.botUserId &&
      m.eventId !== minted.eventId &&
      textOf(m).includes(grant),
    { what: 'the news in the control room' },
  );
  const alike = sameEveryTime(stage, grant, minted.atMs, olivia);
  return [
    { place: 'control room', who: 'olivia', html: alike(escaped(MINT)) },
    { place: 'control room', who: 'mintwarden', html: alike(htmlOf(minted)) },
    { place: 'alice', who: 'mintwarden', html: alike(htmlOf(notice)) },
    { place: 'alice', who: 'alice', html: alike(escaped(revoke)) },
    { place: 'alice', who: 'mintwarden', html: alike(htmlOf(ended)) },
    { place: 'control room', who: 'mintwarden', html: alike(htmlOf(heard)) },
  ];
}

function htmlOf(event: TimelineEvent): string {
  return String(event.content['formatted_body']);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

const BEGUN = 13 * 60 + 5;
const SLACK = 3;
const DAY = 24 * 60;

/** Ids, names and moments as they are in the picture, whatever they were in the run. */
function sameEveryTime(
  stage: ConversationStage,
  grant: string,
  atMs: number,
  olivia: EncryptedClient,
): (html: string) => string {
  const at = new Date(atMs);
  const begun = at.getUTCHours() * 60 + at.getUTCMinutes();
  const clock = (_: string, hours: string, minutes: string): string => {
    const later = (Number(hours) * 60 + Number(minutes) - begun + DAY) % DAY;
    // A minute may have begun between the mint and the end, or just before the first message.
    const near =
      [0, 60].find((each) => Math.abs(later - each) <= SLACK || DAY - later + each <= SLACK) ?? later;
    const shown = BEGUN + near;
    return `${String(Math.floor(shown / 60)).padStart(2, '0')}:${String(shown % 60).padStart(2, '0')} UTC`;
  };
  return (html) =>
    html
      .replaceAll(grant, '7F3K9Q')
      .replaceAll(stage.ops, '!kXq3vTzPbWmRaYcD')
      .replaceAll(`${stage.ops.slice(0, 14)}…`, '!kXq3vTzPbWmRa…')
      .replaceAll(olivia.userId, '@olivia:example.org')
      .replaceAll(encodeURIComponent(olivia.userId), encodeURIComponent('@olivia:example.org'))
      .replaceAll(/\d{1,2} [A-Z][a-z]{2}, (?=\d\d:\d\d UTC)/g, '')
      .replaceAll(/(\d\d):(\d\d) UTC/g, clock)
      .replaceAll(/ \((?:now|\d+ s ago)\)/g, '')
      // The answer may come a moment before or after the notice was accepted.
      .replaceAll(
        /(<a [^>]*>@alice:example\.org<\/a>) has been told\./g,
        '$1 is being told now; the token goes out only once the homeserver has taken that message.',
      );
}
