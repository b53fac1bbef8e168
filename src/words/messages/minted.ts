import { moment } from '../time.ts';
import type { Grant } from '../../domain/grant.ts';
import { isOperator } from '../../domain/ids.ts';
import type { MessageBody } from '../../domain/message.ts';
import { line, list, paragraph, pill, spaced } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { scopeSentence } from '../scope-sentence.ts';
import { actorName, id, reason, undo } from '../text/en.ts';
import { wildWarning } from '../wild-creators.ts';
import { endedLine } from './ended.ts';

function told(grant: Grant, notice: 'accepted' | 'waiting' | undefined): Line {
  if (notice === 'accepted') return line`${pill(grant.subject)} has been told.`;
  return line`${pill(grant.subject)} is being told now; the token goes out only once the homeserver has taken that message.`;
}

function delivery(grant: Grant, recipientJoined: boolean, until: string): Line {
  const who = actorName(grant.recipient);
  if (isOperator(grant.recipient)) return line`The token goes to ${who}, into a file there.`;
  if (recipientJoined) return line`The token goes to ${who}, by encrypted direct message.`;
  return spaced(
    line`The token waits for ${who}: they have not accepted my invitation to a direct message yet.`,
    [`If that does not happen by ${until}, the grant ends.`],
  );
}

/** Who made it, where no message in the room shows it. */
function madeBy({ minter }: Grant): readonly Line[] {
  return isOperator(minter) ? [line`Made by ${actorName(minter)}.`] : [];
}

/** To the control room: the grant is live. */
export function minted(
  body: Extract<MessageBody, { kind: 'minted' }>,
  grant: Grant,
  context: {
    readonly now: number;
    readonly notice?: 'accepted' | 'waiting';
    readonly deliverWithinMs: number;
  },
): Document {
  if (grant.state === 'ended')
    return [
      paragraph(line`Grant ${id(grant)} for ${pill(grant.subject)} was made, and has ended again.`),
      ...endedLine(grant, context.now),
    ];
  const until = moment(Math.min(grant.createdAt + context.deliverWithinMs, grant.expiresAt), context.now);
  return [
    paragraph(
      line`Grant ${id(grant)} is live. It speaks for ${pill(grant.subject)} and ${scopeSentence(grant, context.now)}.`,
    ),
    list(
      ...madeBy(grant),
      reason(grant),
      told(grant, context.notice),
      delivery(grant, body.recipientJoined, until),
    ),
    ...wildWarning(grant.scope),
    paragraph(undo(grant)),
  ];
}
