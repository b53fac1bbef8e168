import type { EndCause, Grant } from '../../domain/grant.ts';
import { unreachable } from '../../domain/errors.ts';
import { parseUserId, type Actor, type UserId } from '../../domain/ids.ts';
import { code, joined, line, pill, strong } from '../build.ts';
import type { Inline, Line } from '../document.ts';
import { mintLine } from '../command-line.ts';
import { quotedWords } from '../safe-text.ts';
import { moment } from '../time.ts';

/** A grant's id, standing out. */
export function id(grant: Pick<Grant, 'id'>): Inline {
  return strong(grant.id);
}

/** The command that ends the grant. */
export function revokeCode(grant: Pick<Grant, 'id'>): Inline {
  return code(`!revoke ${grant.id}`);
}

/** The actor, as the object or subject of a sentence. */
export function actorName(actor: Actor): Line {
  const userId = parseUserId(actor);
  if (userId !== null) return [pill(userId)];
  if (actor === 'holder') return ['the token’s holder'];
  if (actor === 'system') return ['Mintwarden'];
  return [`the operator ${quotedWords(actor.slice('operator:'.length), 60)} at the server`];
}

/** Why a grant ended, after "It ended:". */
export function endReason(cause: EndCause, by: Actor): Line {
  switch (cause) {
    case 'expired':
      return ['it expired'];
    case 'revoked':
      return line`${actorName(by)} revoked it`;
    case 'withdrawn':
      return ['its holder logged out'];
    case 'used-up':
      return ['all the requests it was good for were made'];
    case 'ended-by-subject':
      return ['the user it spoke for ended it'];
    case 'undelivered':
      return ['its recipient did not take the token in time'];
    case 'untold':
      return ['the user it speaks for could not be told in time'];
    case 'subject-gone':
      return ['the user’s account was deactivated or deleted'];
    case 'no-longer-allowed':
      return ['policy no longer allows tokens for this user'];
    case 'lost-upstream':
      return ['the homeserver no longer honours it'];
    case 'old-copy':
      return ['Mintwarden was restored from an old copy, which does not say whether it was ended since'];
    default:
      return unreachable(cause);
  }
}

/** The line under an answer that undoes a live grant. */
export function undo(grant: Pick<Grant, 'id'>): Line {
  return line`To end it: ${revokeCode(grant)}`;
}

/** The command that makes a grant like this one, or that it cannot be given. */
export function mintCode(grant: Grant): Inline {
  const text = mintLine(grant);
  return text === null
    ? 'write the command again; it is too long, or a room’s id too odd, to repeat here.'
    : code(text);
}

/** The line under an answer about a grant that is over. */
export function again(grant: Grant): Line {
  return line`It cannot be brought back. For a new one: ${mintCode(grant)}`;
}

/** The reason somebody gave, or that nobody did. */
export function reason(grant: Pick<Grant, 'reason'>): Line {
  return [grant.reason === null ? 'Reason: none was given.' : `Reason: ${quotedWords(grant.reason)}`];
}

/** The few people to ask: the minter first, where that is a person, then other admins. */
export function whomToAsk(minter: Actor, admins: readonly UserId[], not: Actor): readonly UserId[] {
  const first = parseUserId(minter);
  const people = first === null ? admins : [first, ...admins];
  return [...new Set(people)].filter((userId) => userId !== not).slice(0, 3);
}

/** People joined by "or"; where there are none, the homeserver's administrators in general. */
export function eitherOf(people: readonly UserId[], homeserver: string): Line {
  return people.length === 0
    ? [`the administrators of ${homeserver}`]
    : joined(
        people.map((userId) => [pill(userId)]),
        'or',
      );
}

/** What stands behind every sentence about an upstream token that may be alive. */
export function diesBy(until: number, now: number): Line {
  return now < until
    ? [`The homeserver ends it by itself at ${moment(until, now)}.`]
    : [`It ended by itself at ${moment(until, now)}.`];
}
