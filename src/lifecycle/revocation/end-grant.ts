import type { Grant } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { decideEnd, type EndRequest } from './end-decision.ts';
import { newIds } from '../rows/new-id.ts';
import type { Services } from '../services.ts';

/**
 * `already-ended`: it had ended or failed before, and nothing was written. `seen`: the command was acted on before.
 */
export type EndOutcome =
  | { readonly kind: 'ended' | 'already-ended'; readonly grant: Grant }
  | { readonly kind: 'seen' };

/** `pendingRevocations` is null where no gateway runs in this process, so that there is nothing to refuse. */
type EndGrantServices = Pick<Services, 'ledger' | 'clock' | 'random' | 'log'> & {
  readonly pendingRevocations: Services['pendingRevocations'] | null;
};

/**
 * Ends a grant, once. When it resolves the end is durable; log-outs and messages follow by the reaper.
 * @throws MintwardenError `not-found` | `state` | `conflict`
 */
export async function endGrant(
  services: EndGrantServices,
  id: GrantId,
  ending: EndRequest,
): Promise<EndOutcome> {
  const decide = async (): Promise<Decision<{ kind: 'ended' | 'already-ended'; grant: Grant }>> => {
    const [grant, leases, messages] = await Promise.all([
      services.ledger.grant(id),
      services.ledger.leases(id),
      services.ledger.messages(id),
    ]);
    if (grant === null)
      throw new MintwardenError('not-found', `There is no grant ${id}.`, '!list shows the grants there are.');
    if (grant.state !== 'live' && grant.state !== 'minting')
      return { change: null, value: { kind: 'already-ended', grant } };
    const change = decideEnd(
      { grant, leases, messages },
      ending,
      services.clock.now(),
      newIds(services.random),
    );
    return { change, value: { kind: 'ended', grant: change.grants?.[0] ?? grant } };
  };
  const outcome = await decideAndCommit(services.ledger, decide).catch((error: unknown) =>
    enforceUnrecorded(services, id, ending, error),
  );
  if (outcome.kind === 'done' && outcome.value.kind === 'ended') {
    services.log.info('grant ended', { grant: id, cause: ending.cause });
  }
  return outcome.kind === 'seen' ? outcome : outcome.value;
}

/** Ends a grant without a command. */
export function endAutomatically(
  services: Services,
  id: GrantId,
  cause: EndRequest['cause'],
  by: EndRequest['by'] = 'system',
): Promise<EndOutcome> {
  return endGrant(services, id, { cause, by, asked: 'nobody', command: null });
}

/**
 * The end cannot be recorded: the token is refused as long as this service runs, and the caller is told what
 * that means.
 */
function enforceUnrecorded(
  services: EndGrantServices,
  id: GrantId,
  ending: EndRequest,
  error: unknown,
): never {
  if (services.pendingRevocations === null || !(error instanceof MintwardenError) || error.code !== 'state')
    throw error;
  services.pendingRevocations.add(id, ending);
  services.log.error('end of a grant not recorded', {
    grant: id,
    cause: ending.cause,
    problem: error.message,
  });
  throw new MintwardenError(
    'state',
    `The end of grant ${id} could not be recorded. The gateway refuses its token from now on, but only as long as this service runs; the homeserver’s own token behind it is not logged out yet.`,
    `${error.hint ?? 'An operator looks at the disk.'} The end is then recorded by itself. Do not restart the service before.`,
    { cause: error },
  );
}
