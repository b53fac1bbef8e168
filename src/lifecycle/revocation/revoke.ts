import { MintwardenError } from '../../domain/errors.ts';
import type { EndCause, Grant } from '../../domain/grant.ts';
import { endGrant } from './end-grant.ts';
import type { CommandOutcome, RevokeRequest } from '../requests.ts';
import { utc } from '../../words/time.ts';
import type { Services } from '../services.ts';

const HOW: Record<EndCause, string> = {
  expired: 'it expired',
  revoked: 'it was revoked',
  withdrawn: 'its holder logged out',
  'used-up': 'all the requests it was good for were made',
  'ended-by-subject': 'its subject ended it',
  undelivered: 'nobody took its token in time',
  untold: 'its subject could not be told in time',
  'subject-gone': 'its subject is deactivated or gone',
  'no-longer-allowed': 'policy allows no tokens for its subject any more',
  'lost-upstream': 'its upstream token was lost',
  'old-copy': 'an old copy of the ledger was restored',
};

/** When and how a grant that is over ended, as an error. */
export function alreadyEnded(grant: Grant, now: number): MintwardenError {
  const when = grant.endedAt === null ? '' : ` at ${utc(grant.endedAt, now)}`;
  if (grant.state === 'failed')
    return new MintwardenError(
      'conflict',
      `Grant ${grant.id} never came to life: ${grant.failure ?? 'its mint failed'}`,
    );
  const by =
    grant.endedBy !== null && grant.endedBy !== 'system' && grant.endedBy !== 'holder'
      ? ` (by ${grant.endedBy})`
      : '';
  const how = grant.endCause === null ? 'it ended' : HOW[grant.endCause];
  return new MintwardenError(
    'conflict',
    `Grant ${grant.id} is over already: ${how}${when}${by}.`,
    `!show ${grant.id} shows what became of it.`,
  );
}

/**
 * Ends a grant at somebody's word. When it resolves, no gateway honours the token any more.
 * @throws MintwardenError `conflict` where it is over already (says when and how), `not-found` where a
 *   subject names a grant that is not theirs
 */
export async function revoke(services: Services, request: RevokeRequest): Promise<CommandOutcome> {
  const { grant, by, command } = request;
  if (request.as === 'subject' && by !== grant.subject) {
    throw new MintwardenError('not-found', `You have no grant ${grant.id}.`, '!tokens shows yours.');
  }
  if (
    command !== null &&
    (await services.ledger.commandSeen(command.eventId, command.sessionId, command.messageIndex))
  )
    return { kind: 'seen' };
  const outcome = await endGrant(services, grant.id, {
    cause: request.as === 'subject' ? 'ended-by-subject' : 'revoked',
    by,
    asked: request.as === 'subject' ? 'subject' : 'control',
    command,
  });
  if (outcome.kind === 'seen') return outcome;
  if (outcome.kind === 'already-ended') throw alreadyEnded(outcome.grant, services.clock.now());
  return { kind: 'begun', grant: outcome.grant };
}
