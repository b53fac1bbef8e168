import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { endAutomatically } from '../revocation/end-grant.ts';
import { allowsSubject } from '../../domain/policy.ts';
import { newIds } from '../rows/new-id.ts';
import { problemOf } from '../problem.ts';
import { decideSubjectSeen, isGone } from './subject-decision.ts';
import type { Services } from '../services.ts';

const EVERY_MS = 120_000;
const MANY = 100_000;

/** Writes what a look at the subject means for one grant. Returns the grant as it then is. */
export async function recordSubject(
  services: Services,
  grant: Grant,
  facts: SubjectFacts | null,
): Promise<Grant> {
  if (facts === null || isGone(facts)) {
    const outcome = await endAutomatically(services, grant.id, 'subject-gone');
    return outcome.kind === 'seen' ? grant : outcome.grant;
  }
  if (!allowsSubject(services.policy(), facts)) {
    const outcome = await endAutomatically(services, grant.id, 'no-longer-allowed');
    return outcome.kind === 'seen' ? grant : outcome.grant;
  }
  const outcome = await decideAndCommit(services.ledger, async (): Promise<Decision<Grant>> => {
    const [row, excluded] = await Promise.all([services.ledger.grant(grant.id), services.ledger.excluded()]);
    if (row === null) throw new MintwardenError('state', `The record of grant ${grant.id} is gone.`);
    const change = decideSubjectSeen(row, facts, excluded, services.clock.now(), newIds(services.random));
    return { change, value: change?.grants?.[0] ?? row };
  });
  return outcome.kind === 'done' ? outcome.value : grant;
}

/**
 * Looks a grant's subject up before something is made for it.
 * @throws MintwardenError `not-allowed` where the subject is gone, locked or no longer allowed (the grant
 *   has ended, or is suspended, with it); the directory's own errors where it could not be asked
 */
export async function checkSubjectNow(services: Services, grant: Grant): Promise<Grant> {
  const seen = await recordSubject(services, grant, await services.directory.subject(grant.subject));
  if (seen.state === 'live' && !seen.suspended) return seen;
  throw new MintwardenError(
    'not-allowed',
    `Grant ${grant.id} does not count: its subject is ${seen.suspended ? 'locked' : 'gone, or no longer allowed'}.`,
  );
}

/** Looks up every subject of a live grant once. A look-up that fails changes nothing. */
export async function watchSubjectsOnce(services: Services): Promise<void> {
  const live = await services.ledger.grants({ states: ['live'], limit: MANY });
  const bySubject = Map.groupBy(live, (grant) => grant.subject);
  for (const [subject, grants] of bySubject) await watchOne(services, subject, grants);
}

async function watchOne(services: Services, subject: UserId, grants: readonly Grant[]): Promise<void> {
  try {
    const facts = await services.directory.subject(subject);
    for (const grant of grants) await recordSubject(services, grant, facts);
  } catch (error) {
    services.log.warn('subject could not be looked up', { problem: problemOf(error) });
  }
}

/** Watches the subjects of live grants until stopped. `stop` resolves when the last look has ended. */
export function startSubjectsWatch(
  services: Services,
  everyMs = EVERY_MS,
): { readonly stop: () => Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const look = () => {
    running = watchSubjectsOnce(services)
      .catch((error: unknown) => services.log.error('subjects watch failed', { problem: problemOf(error) }))
      .then(() => {
        if (!stopped) timer = setTimeout(look, everyMs);
      });
  };
  timer = setTimeout(look, everyMs);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
