import { MintwardenError } from '../../domain/errors.ts';
import { newGrantId } from '../../domain/grant-id.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import { hashToken, newToken } from '../../domain/token.ts';
import type { Issued } from '../../ports/issuer.ts';
import { refuseWhileHeld } from '../anchors/lockdown.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { ASKING_PATIENCE_MS, askingLease } from '../leases/lease-row.ts';
import {
  decideLateAnswer,
  decideMinted,
  decideMintFailed,
  decideRequested,
  stillWanted,
} from './mint-decisions.ts';
import { mintFailure } from './mint-failure.ts';
import { checkLimits } from './mint-limits.ts';
import { newIds } from '../new-id.ts';
import { planMint } from './plan-mint.ts';
import { problemOf } from '../problem.ts';
import type { Begun, MintPlan, MintRequest } from '../requests.ts';
import { grantRow, leaseRow } from '../secret-rows.ts';
import { serially } from '../run-exclusive.ts';
import { blameIssuer, refuseInTrouble } from '../incidents/refuse.ts';
import type { World } from '../services.ts';

const ID_ATTEMPTS = 10;

/**
 * Mints: a record first, then the homeserver, then the news. The answer, good or bad, comes through the
 * outbox; what is thrown was found before anything was made, or says that the ledger could not be written.
 * @throws MintwardenError
 */
export async function mint(world: World, request: MintRequest): Promise<Begun> {
  const { command } = request;
  if (
    command !== null &&
    (await world.ledger.commandSeen(command.eventId, command.sessionId, command.messageIndex))
  )
    return { kind: 'seen' };
  refuseWhileHeld(world.held);
  refuseInTrouble(world);
  const plan = await planMint(world, request).catch((error: unknown) => blameIssuer(world, error));
  const requested = await serially(world.ledger, () => record(world, request, plan));
  if (requested === 'seen') return { kind: 'seen' };
  const { grant, lease } = requested;
  const issued = await ask(world, lease);
  return { kind: 'begun', grant: await conclude(world, grant, lease, issued, plan.recipientJoined) };
}

/** Commit 1. One at a time, so that two mints cannot both be the last that the limits allow. */
async function record(
  world: World,
  request: MintRequest,
  plan: MintPlan,
): Promise<{ grant: Grant; lease: Lease } | 'seen'> {
  const policy = world.policy();
  await checkLimits(world.ledger, policy, request.subject);
  const { grantsEver } = await world.ledger.counts();
  const random = (count: number) => world.random.bytes(count);
  for (let attempt = 0; attempt < ID_ATTEMPTS; attempt++) {
    const id = newGrantId(grantsEver, random);
    const token = newToken(id, random);
    const now = world.clock.now();
    const expiresAt = now + plan.grant.ttlMs;
    const grant: Grant = {
      ...plan.grant,
      id,
      createdAt: now,
      expiresAt,
      tokenHash: hashToken(token),
      sealedToken: world.sealer.seal(grantRow(id), token),
      nextActionAt: now + ASKING_PATIENCE_MS,
    };
    const lease = askingLease(
      newIds(world.random).lease(),
      id,
      grant.subject,
      now,
      Math.min(expiresAt, now + policy.leaseMs),
    );
    const committed = await world.ledger.commit(decideRequested(grant, lease, request.command));
    if (committed === 'seen') return 'seen';
    if (committed === 'committed') return { grant, lease };
  }
  throw new MintwardenError('internal', 'No free grant id was found.', 'Try again.');
}

/**
 * Asks the homeserver. The port promises not to throw; what is thrown all the same leaves the outcome
 * unknown.
 */
export async function ask(world: World, lease: Lease): Promise<Issued> {
  try {
    return await world.issuer.issue(lease.subject, lease.validUntil);
  } catch (error) {
    return { kind: 'unknown', problem: problemOf(error) };
  }
}

/** Commit 2, on what the rows say by then. */
async function conclude(
  world: World,
  requested: Grant,
  asked: Lease,
  issued: Issued,
  recipientJoined: boolean,
): Promise<Grant> {
  const decide = async (): Promise<Decision<Grant>> => {
    const [grant, lease] = await Promise.all([
      world.ledger.grant(requested.id),
      world.ledger.lease(asked.id),
    ]);
    if (grant === null || lease === null)
      throw new MintwardenError('state', `The record of grant ${requested.id} is gone.`);
    const now = world.clock.now();
    const sealed = issued.kind === 'issued' ? world.sealer.seal(leaseRow(lease.id), issued.token) : null;
    if (grant.state !== 'minting' || !stillWanted(grant, lease, now))
      return { change: unwanted(world, grant, lease, issued, sealed, now), value: grant };
    const change =
      issued.kind === 'issued' && sealed !== null
        ? decideMinted(
            grant,
            lease,
            { sealed, recipientJoined, deliverWithinMs: world.policy().deliverWithinMs },
            now,
            newIds(world.random),
          )
        : decideMintFailed(
            grant,
            lease,
            mintFailure(grant.subject, issued as Exclude<Issued, { kind: 'issued' }>),
            now,
            newIds(world.random),
          );
    return { change, value: change.grants?.[0] ?? grant };
  };
  try {
    const outcome = await decideAndCommit(world.ledger, decide);
    return outcome.kind === 'done' ? outcome.value : requested;
  } catch (error) {
    throw await unrecorded(world, requested, issued, error);
  }
}

function unwanted(
  world: World,
  grant: Grant,
  lease: Lease,
  issued: Issued,
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
  const failing = decideMintFailed(grant, null, failure, now, newIds(world.random));
  return { ...failing, leases: late.leases ?? [], audit: [...(failing.audit ?? []), ...(late.audit ?? [])] };
}

/**
 * The ledger could not be written: what was made must not live on without a record, so it is killed here and
 * now.
 */
async function unrecorded(
  world: World,
  grant: Grant,
  issued: Issued,
  cause: unknown,
): Promise<MintwardenError> {
  world.log.error('mint could not be recorded', { grant: grant.id, problem: problemOf(cause) });
  const dead = issued.kind !== 'issued' || (await killed(world, issued.token));
  return new MintwardenError(
    'state',
    dead
      ? 'The ledger could not be written; nothing was minted.'
      : 'The ledger could not be written, and the homeserver did not confirm the end of the token it had made; nobody holds it.',
    'An operator looks at the disk and runs `mintwarden doctor`.',
    { cause },
  );
}

async function killed(world: World, token: string): Promise<boolean> {
  try {
    return (await world.issuer.kill(token)).kind === 'dead';
  } catch {
    return false;
  }
}
