import { unreachable } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { MessageBody } from '../../domain/message.ts';
import { code, line, list, paragraph, pill } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { scopeSentence } from '../scope-sentence.ts';
import { actorName, id, undo } from '../text/en.ts';
import { moment } from '../time.ts';

type Body = Extract<MessageBody, { kind: 'delivery-waiting' }>;

function why(body: Body, grant: Grant): Line {
  const who = actorName(grant.recipient);
  switch (body.why) {
    case 'not-joined':
      return line`${who} has not accepted my invitation to a direct message.`;
    case 'invite-refused':
      return line`the settings of ${who} refuse invitations from me, or ignore me. They should allow invitations until they have joined my chat.`;
    case 'no-signed-device':
      return line`${who} has no cross-signed device any more. They should verify one of their sessions.`;
    case 'room-unsafe':
      return line`my direct message with ${who} is not private: it must be encrypted and hold nobody but the two of us. Others in it must leave.`;
    case 'identity-changed':
      return line`the cross-signing identity of ${who} is not the one I first saw. They may have reset it, or somebody else did: ask them before you go on.`;
    default:
      return unreachable(body.why);
  }
}

/** To the control room: the token waits. */
export function deliveryWaiting(body: Body, grant: Grant, now: number): Document {
  return [
    paragraph(line`The token of grant ${id(grant)} is still waiting: ${why(body, grant)}`),
    list(
      line`It speaks for ${pill(grant.subject)} and ${scopeSentence(grant, now)}.`,
      [`If it cannot be delivered by ${moment(body.giveUpAt, now)}, the grant ends.`],
      line`I try again when something changes. To try at once: ${code(`!deliver ${grant.id}`)}`,
      undo(grant),
    ),
  ];
}
