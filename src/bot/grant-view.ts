import { effectiveState, type Grant } from '../domain/grant.ts';
import { unreachable } from '../domain/errors.ts';
import { code, line, pill } from '../words/build.ts';
import type { Line } from '../words/document.ts';
import { canSentence, scopeSentence } from '../words/scope-sentence.ts';
import { endReason, id } from '../words/text/en.ts';
import { moment } from '../words/time.ts';

/** What became of a grant, in a few words. */
export function stateText(grant: Grant, now: number): Line {
  switch (grant.state) {
    case 'minting':
      return ['being made'];
    case 'live':
      if (effectiveState(grant, now) === 'inactive') return ['expired'];
      return [grant.suspended ? 'suspended: the account is locked' : 'live'];
    case 'ended': {
      const when = grant.endedAt === null ? '' : `, ${moment(grant.endedAt, now)}`;
      return line`ended${when}: ${grant.endCause === null ? 'over' : endReason(grant.endCause, grant.endedBy ?? 'system')}`;
    }
    case 'failed':
      return ['failed'];
    default:
      return unreachable(grant.state);
  }
}

/** A grant in one line of a list, with the line that ends it. */
export function grantLine(grant: Grant, now: number, place: 'control' | 'dm'): Line {
  const live = grant.state === 'live' && effectiveState(grant, now) !== 'inactive';
  const whose = place === 'control' ? line` for ${pill(grant.subject)}` : [];
  const state = live && !grant.suspended ? [] : line` (${stateText(grant, now)})`;
  const what = live ? scopeSentence(grant, now) : canSentence(grant);
  const end = live ? line` To end it: ${code(`!revoke ${grant.id}`)}` : [];
  return line`${id(grant)}${whose}${state}: ${what}.${end}`;
}
