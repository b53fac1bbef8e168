import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { endUnasked } from '../revocation/end-grant.ts';
import { stillAllowed } from '../mint/mint-subject.ts';
import { newIds } from '../new-id.ts';
import { problemOf } from '../problem.ts';
import { decideSubjectSeen, isGone } from './subject-decision.ts';
import type { World } from '../services.ts';

const EVERY_MS = 120_000;
const MANY = 100_000;

/** Writes what a look at the subject means for one grant. Returns the grant as it then is. */
export async function noteSubject(world: World, grant: Grant, facts: SubjectFacts | null): Promise<Grant> {
  if (facts === null || isGone(facts)) {
    const outcome = await endUnasked(world, grant.id, 'subject-gone');
    return outcome.kind === 'seen' ? grant : outcome.grant;
  }
  if (!stillAllowed(world.policy(), facts)) {
    const outcome = await endUnasked(world, grant.id, 'no-longer-allowed');
    return outcome.kind === 'seen' ? grant : outcome.grant;
  }
  const outcome = await decideAndCommit(world.ledger, async (): Promise<Decision<Grant>> => {
    const [row, excluded] = await Promise.all([world.ledger.grant(grant.id), world.ledger.excluded()]);
    if (row === null) throw new MintwardenError('state', `The record of grant ${grant.id} is gone.`);
    const change = decideSubjectSeen(row, facts, excluded, world.clock.now(), newIds(world.random));
    return { change, value: change?.grants?.[0] ?? row };
  });
  return outcome.kind === 'done' ? outcome.value : grant;
}

/**
 * Looks a grant's subject up before something is made for it.
 * @throws MintwardenError `not-allowed` where the subject is gone, locked or no longer allowed (the grant
 *   has ended, or is suspended, with it); the directory's own errors where it could not be asked
 */
export async function checkSubjectNow(world: World, grant: Grant): Promise<Grant> {
  const seen = await noteSubject(world, grant, await world.directory.subject(grant.subject));
  if (seen.state === 'live' && !seen.suspended) return seen;
  throw new MintwardenError(
    'not-allowed',
    `Grant ${grant.id} does not count: its subject is ${seen.suspended ? 'locked' : 'gone, or no longer allowed'}.`,
  );
}

/** Looks up every subject of a live grant once. A look-up that fails changes nothing. */
export async function watchSubjectsOnce(world: World): Promise<void> {
  const live = await world.ledger.grants({ states: ['live'], limit: MANY });
  const bySubject = Map.groupBy(live, (grant) => grant.subject);
  for (const [subject, grants] of bySubject) await watchOne(world, subject, grants);
}

async function watchOne(world: World, subject: UserId, grants: readonly Grant[]): Promise<void> {
  try {
    const facts = await world.directory.subject(subject);
    for (const grant of grants) await noteSubject(world, grant, facts);
  } catch (error) {
    world.log.warn('subject could not be looked up', { problem: problemOf(error) });
  }
}

/** Watches the subjects of live grants until stopped. `stop` resolves when the last look has ended. */
export function startSubjectsWatch(world: World, everyMs = EVERY_MS): { readonly stop: () => Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const look = () => {
    running = watchSubjectsOnce(world)
      .catch((error: unknown) => world.log.error('subjects watch failed', { problem: problemOf(error) }))
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
