import type { Grant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MessageBody } from '../../domain/message.ts';
import { line, list, paragraph, pill } from '../build.ts';
import type { Block, Document } from '../document.ts';
import { canSentence } from '../scope-sentence.ts';
import { again, eitherOf, endReason, id, whomToAsk } from '../text/en.ts';
import { moment } from '../time.ts';

/** Why and when it ended, what it could do, and how to make such a one again. */
export function endedLine(grant: Grant, now: number): readonly Block[] {
  const because =
    grant.endCause === null ? [] : [line`It ended: ${endReason(grant.endCause, grant.endedBy ?? 'system')}.`];
  const when = grant.endedAt === null ? [] : [[`When: ${moment(grant.endedAt, now)}`]];
  return [list(...because, ...when, line`What it could do: ${canSentence(grant)}.`, again(grant))];
}

/** To the control room: a grant ended otherwise than by a command given there. */
export function endedReport(
  body: Extract<MessageBody, { kind: 'ended-report' }>,
  grant: Grant,
  now: number,
): Document {
  return [
    paragraph(
      line`Grant ${id(grant)} for ${pill(grant.subject)} has ended: ${endReason(body.cause, body.by)}.`,
    ),
    list(
      [`When: ${moment(grant.endedAt ?? now, now)}`],
      line`What it could do: ${canSentence(grant)}.`,
      again(grant),
    ),
  ];
}

/** To the subject: it is over. */
export function endedNotice(
  body: Extract<MessageBody, { kind: 'ended-notice' }>,
  grant: Grant,
  context: { readonly now: number; readonly homeserver: string; readonly admins: readonly UserId[] },
): Document {
  const because = body.cause === 'ended-by-subject' ? ['you ended it'] : endReason(body.cause, body.by);
  return [
    paragraph(
      line`The token ${id(grant)} that spoke for you, ${pill(grant.subject)}, no longer works: ${because}.`,
    ),
    list(
      [`When: ${moment(grant.endedAt ?? context.now, context.now)}`],
      line`What it could do: ${canSentence(grant)}.`,
      line`You need not do anything. Questions? Ask ${eitherOf(whomToAsk(grant.minter, context.admins, grant.subject), context.homeserver)}.`,
    ),
  ];
}
