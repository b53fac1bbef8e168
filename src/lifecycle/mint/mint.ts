import { MintwardenError } from '../../domain/errors.ts';
import { newGrantId } from '../../domain/grant-id.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import { hashToken, newToken } from '../../domain/token.ts';
import type { IssueResult } from '../../ports/issuer.ts';
import { refuseDuringLockdown } from '../lockdown.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { issueToken } from '../leases/issue-token.ts';
import { decideLateAnswer, stillWanted } from '../leases/late-answer.ts';
import { ASKING_PATIENCE_MS, askingLease } from '../rows/lease-row.ts';
import { decideMinted, decideMintFailed, decideRequested } from './mint-decisions.ts';
import { mintFailure } from './mint-failure.ts';
import { checkLimits } from './mint-limits.ts';
import { newIds } from '../rows/new-id.ts';
import { planMint } from './plan-mint.ts';
import { problemOf } from '../problem.ts';
import type { CommandOutcome, MintPlan, MintRequest } from '../requests.ts';
import { grantRow, leaseRow } from '../rows/sealed-row.ts';
import { runExclusive } from '../run-exclusive.ts';
import { explainIssuerRefusal, refuseDuringIncident } from '../incidents/refuse.ts';
import type { Services } from '../services.ts';

const ID_ATTEMPTS = 10;

/**
 * Mints: a record first, then the homeserver, then the news. The answer, good or bad, comes through the
 * outbox; what is thrown was found before anything was made, or says that the ledger could not be written.
 * @throws MintwardenError
 */
export async function mint(services: Services, request: MintRequest): Promise<CommandOutcome> {
  const { command } = request;
  if (
    command !== null &&
    (await services.ledger.commandSeen(command.eventId, command.sessionId, command.messageIndex))
  )
    return { kind: 'seen' };
  refuseDuringLockdown(services.lockdown);
  refuseDuringIncident(services);
  const plan = await planMint(services, request).catch((error: unknown) =>
    explainIssuerRefusal(services, error),
  );
  const requested = await runExclusive(services.ledger, () => record(services, request, plan));
  if (requested === 'seen') return { kind: 'seen' };
  const { grant, lease } = requested;
  const issued = await issueToken(services, lease);
  return { kind: 'begun', grant: await conclude(services, grant, lease, issued, plan.recipientJoined) };
}

/** Commit 1. One at a time, so that two mints cannot both be the last that the limits allow. */
async function record(
  services: Services,
  request: MintRequest,
  plan: MintPlan,
): Promise<{ grant: Grant; lease: Lease } | 'seen'> {
  const policy = services.policy();
  await checkLimits(services.ledger, policy, request.subject);
  const { grantsEver } = await services.ledger.counts();
  const random = (count: number) => services.random.bytes(count);
  for (let attempt = 0; attempt < ID_ATTEMPTS; attempt++) {
    const id = newGrantId(grantsEver, random);
    const token = newToken(id, random);
    const now = services.clock.now();
    const expiresAt = now + plan.grant.ttlMs;
    const grant: Grant = {
      ...plan.grant,
      id,
      createdAt: now,
      expiresAt,
      tokenHash: hashToken(token),
      sealedToken: services.sealer.seal(grantRow(id), token),
      nextActionAt: now + ASKING_PATIENCE_MS,
    };
    const lease = askingLease(
      newIds(services.random).lease(),
      id,
      grant.subject,
      now,
      Math.min(expiresAt, now + policy.leaseMs),
    );
    const committed = await services.ledger.commit(decideRequested(grant, lease, request.command));
    if (committed === 'seen') return 'seen';
    if (committed === 'committed') return { grant, lease };
  }
  throw new MintwardenError('internal', 'No free grant id was found.', 'Try again.');
}

/** Commit 2, on what the rows say by then. */
async function conclude(
  services: Services,
  requested: Grant,
  asked: Lease,
  issued: IssueResult,
  recipientJoined: boolean,
): Promise<Grant> {
  const decide = async (): Promise<Decision<Grant>> => {
    const [grant, lease] = await Promise.all([
      services.ledger.grant(requested.id),
      services.ledger.lease(asked.id),
    ]);
    if (grant === null || lease === null)
      throw new MintwardenError('state', `The record of grant ${requested.id} is gone.`);
    const now = services.clock.now();
    const sealed = issued.kind === 'issued' ? services.sealer.seal(leaseRow(lease.id), issued.token) : null;
    if (grant.state !== 'minting' || !stillWanted(grant, lease, now))
      return { change: unwanted(services, grant, lease, issued, sealed, now), value: grant };
    const change =
      issued.kind === 'issued' && sealed !== null
        ? decideMinted(
            grant,
            lease,
            { sealed, recipientJoined, deliverWithinMs: services.policy().deliverWithinMs },
            now,
            newIds(services.random),
          )
        : decideMintFailed(
            grant,
            lease,
            mintFailure(grant.subject, issued as Exclude<IssueResult, { kind: 'issued' }>),
            now,
            newIds(services.random),
          );
    return { change, value: change.grants?.[0] ?? grant };
  };
  try {
    const outcome = await decideAndCommit(services.ledger, decide);
    return outcome.kind === 'done' ? outcome.value : requested;
  } catch (error) {
    throw await unrecorded(services, requested, issued, error);
  }
}

function unwanted(
  services: Services,
  grant: Grant,
  lease: Lease,
  issued: IssueResult,
  sealed: string | null,
  now: number,
) {
  const late = decideLateAnswer(grant, lease, issued, sealed, now);
  if (late === null || grant.state !== 'minting') return late;
  const sentence = 'The homeserver answered after the lifetime that was asked for had passed.';
  const failure = {
    sentence,
    next: 'See whether the homeserver is slow, or ask for a longer --ttl.',
    mayExist: false,
    problem: sentence,
  };
  const failing = decideMintFailed(grant, null, failure, now, newIds(services.random));
  return { ...failing, leases: late.leases ?? [], audit: [...(failing.audit ?? []), ...(late.audit ?? [])] };
}

/**
 * The ledger could not be written: what was made must not live on without a record, so it is killed here and
 * now.
 */
async function unrecorded(
  services: Services,
  grant: Grant,
  issued: IssueResult,
  cause: unknown,
): Promise<MintwardenError> {
  services.log.error('mint could not be recorded', { grant: grant.id, problem: problemOf(cause) });
  const dead = issued.kind !== 'issued' || (await killed(services, issued.token));
  return new MintwardenError(
    'state',
    dead
      ? 'The ledger could not be written; nothing was minted.'
      : 'The ledger could not be written, and the homeserver did not confirm the end of the token it had made; nobody holds it.',
    'An operator looks at the disk and runs `mintwarden doctor`.',
    { cause },
  );
}

async function killed(services: Services, token: string): Promise<boolean> {
  try {
    return (await services.issuer.kill(token)).kind === 'dead';
  } catch {
    return false;
  }
}
