import { unreachable } from '../../domain/errors.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { MessageBody } from '../../domain/message.ts';
import { line, list, paragraph, pill, spaced, strong } from '../build.ts';
import type { Document, Line } from '../document.ts';
import { canSentence, scopeSentence } from '../scope-sentence.ts';
import { diesBy, id, undo } from '../text/en.ts';

type Body = Extract<MessageBody, { kind: 'upstream-alive' }>;

function what(body: Body, grant: Grant, now: number): Line {
  const about = line`grant ${id(grant)} for ${pill(grant.subject)}`;
  switch (body.why) {
    case 'orphan':
      return spaced(
        line`The homeserver may have made a token for ${about} without telling us. Nobody holds it.`,
        diesBy(body.until, now),
      );
    case 'unkillable':
      return spaced(
        line`${strong('I could not log out')} the homeserver’s own token behind ${about}, and have given up trying.`,
        ['Nobody but me has it, and I no longer use it.'],
        diesBy(body.until, now),
        ['Please look at why the homeserver refuses.'],
      );
    case 'died-early':
      return line`The homeserver ended its own token behind ${about} before its time. Somebody may have logged it out. I look the user up and ask for a new one.`;
    default:
      return unreachable(body.why);
  }
}

/** To the control room: a token at the homeserver that somebody should know of. */
export function upstreamAlive(body: Body, grant: Grant, now: number): Document {
  const live = effectiveState(grant, now) !== 'inactive';
  const scope = live
    ? line`The grant ${scopeSentence(grant, now)}.`
    : line`The grant is over. What it could do: ${canSentence(grant)}.`;
  return [paragraph(what(body, grant, now)), live ? list(scope, undo(grant)) : list(scope)];
}
