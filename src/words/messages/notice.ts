import type { Grant } from '../../domain/grant.ts';
import type { Channel, Message } from '../../domain/message.ts';
import type { UserId } from '../../domain/ids.ts';
import { line, list, paragraph, pill, spaced, strong } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { scopeSentence } from '../scope-sentence.ts';
import { actorName, eitherOf, id, reason, revokeCode, whomToAsk } from '../text/en.ts';
import { utc } from '../time.ts';

/** To the subject: an administrator made a token that speaks for you. */
export function notice(
  message: Message,
  grant: Grant,
  context: {
    readonly now: number;
    readonly homeserver: string;
    readonly admins: readonly UserId[];
    readonly channel?: Channel;
  },
): Document {
  const { now } = context;
  const ask = eitherOf(whomToAsk(grant.minter, context.admins, grant.subject), context.homeserver);
  const gets: Line = grant.recipient === grant.subject ? ['you'] : actorName(grant.recipient);
  return [
    paragraph(
      spaced(
        line`${strong('An administrator made an access token that speaks for you,')} ${pill(grant.subject)}.`,
        ['Anyone who holds it can use your account for what is listed here, and nothing else.'],
      ),
    ),
    list(
      line`It ${scopeSentence(grant, now)}.`,
      line`Made by: ${actorName(grant.minter)}, at ${utc(grant.createdAt, now)}`,
      line`Who gets it: ${gets}`,
      reason(grant),
      line`Its id: ${id(grant)}`,
    ),
    paragraph(howToEnd(grant, message.channel ?? context.channel ?? null, ask)),
  ];
}

function howToEnd(grant: Grant, channel: Channel | null, ask: Line): Line {
  if (channel === 'server-notice')
    return line`Is this not right? Ask ${ask} to end it; nobody reads answers in this room.`;
  if (grant.state === 'ended') return line`It has ended already. Questions? Ask ${ask}.`;
  return line`To end it at once, write ${revokeCode(grant)} here. You need not give a reason. Questions? Ask ${ask}.`;
}
