import { unreachable } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { IssueResult } from '../../ports/issuer.ts';
import type { MintFailure } from './mint-decisions.ts';

/** A homeserver's no, or its silence, in words for the control room. */
export function mintFailure(subject: UserId, issued: Exclude<IssueResult, { kind: 'issued' }>): MintFailure {
  if (issued.kind === 'unknown') {
    return {
      sentence: 'The homeserver gave no usable answer when it was asked for the token.',
      next: 'Nobody holds what it may have made. See whether the homeserver is well, then send the command again.',
      mayExist: true,
      problem: issued.problem,
    };
  }
  return { ...refusal(subject, issued.why), mayExist: false, problem: issued.problem };
}

function refusal(
  subject: UserId,
  why: Extract<IssueResult, { kind: 'refused' }>['why'],
): { sentence: string; next: string } {
  switch (why) {
    case 'no-such-user':
      return {
        sentence: `The homeserver knows no user ${subject}.`,
        next: 'Check the spelling of the user id.',
      };
    case 'not-admin':
      return {
        sentence: 'The homeserver no longer takes the issuer account for a server administrator.',
        next: 'An operator gives it back that right; `mintwarden doctor` says how.',
      };
    case 'issuer-logged-out':
      return {
        sentence: 'The homeserver no longer knows the issuer account’s session.',
        next: 'An operator logs it in again; `mintwarden doctor` says how.',
      };
    case 'limited':
      return {
        sentence: 'The homeserver refused the token for now: too many requests.',
        next: 'Send the command again in a minute.',
      };
    case 'other':
      return {
        sentence: 'The homeserver refused to make the token.',
        next: 'An operator runs `mintwarden doctor`.',
      };
    default:
      return unreachable(why);
  }
}
