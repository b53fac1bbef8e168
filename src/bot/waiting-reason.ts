import type { Actor } from '../domain/ids.ts';
import { line } from '../words/build.ts';
import type { Line } from '../words/document.ts';
import { actorName } from '../words/text/en.ts';

/** Why a token waits: the obstacle's own word, or the sentence of the last failure. */
export function waitingReason(why: string, recipient: Actor): Line {
  const who = actorName(recipient);
  switch (why) {
    case 'not-joined':
      return line`${who} has not accepted my invitation to a direct message.`;
    case 'invite-refused':
      return line`the settings of ${who} refuse invitations from me, or ignore me; they should allow them until they have joined my chat.`;
    case 'no-signed-device':
      return line`${who} has no cross-signed device; they should verify one of their sessions.`;
    case 'room-unsafe':
      return ['my direct message with them is not private; others in it must leave.'];
    case 'identity-changed':
      return line`the cross-signing identity of ${who} is not the one I first saw.`;
    case 'suspended':
      return ['the user it speaks for is locked.'];
    default:
      return [why];
  }
}
