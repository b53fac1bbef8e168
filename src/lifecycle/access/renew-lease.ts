import type { Change } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { effectiveState, type Grant } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import type { Lease } from '../../domain/lease.ts';
import type { IssueResult } from '../../ports/issuer.ts';
import type { UpstreamToken } from './access-control.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { aliveMessage } from '../leases/kill-lease.ts';
import { aliveLease, askingLease, orphanLease, refusedLease } from '../rows/lease-row.ts';
import { issueToken } from '../leases/issue-token.ts';
import { decideLateAnswer, stillWanted } from '../leases/late-answer.ts';
import { newIds, type NewIds } from '../rows/new-id.ts';
import { leaseRow } from '../rows/sealed-row.ts';
import { checkSubjectNow } from '../subjects/watch-subjects.ts';
import type { Services } from '../services.ts';

const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.1;

/**
 * Whether a lease in use is to be followed by a new one: little of its life is left, and the grant outlives
 * it.
 */
export function needsRenewal(
  lease: Pick<Lease, 'createdAt' | 'validUntil'>,
  grant: Pick<Grant, 'expiresAt'>,
  now: number,
): boolean {
  if (lease.validUntil >= grant.expiresAt) return now >= lease.validUntil;
  const margin = Math.max(MARGIN_MS, (lease.validUntil - lease.createdAt) * MARGIN_SHARE);
  return now >= lease.validUntil - margin;
}

/**
 * The rows after an answer that is still wanted. The grant's revision moves too, so that an ending at the
 * same time is noticed.
 */
export function decideRenewed(
  grant: Grant,
  lease: Lease,
  issued: IssueResult,
  sealed: string | null,
  now: number,
  ids: NewIds,
): Change {
  if (issued.kind === 'issued' && sealed !== null) {
    return {
      at: now,
      grants: [{ ...grant, revision: grant.revision + 1 }],
      leases: [aliveLease(lease, sealed)],
      audit: [grantAudit(grant, 'lease-made', 'system', now, { lease: lease.id, until: lease.validUntil })],
    };
  }
  if (issued.kind === 'refused') {
    return {
      at: now,
      leases: [refusedLease(lease, issued.problem)],
      audit: [grantAudit(grant, 'lease-failed', 'system', now, { lease: lease.id, problem: issued.problem })],
    };
  }
  const problem = issued.kind === 'unknown' ? issued.problem : 'The answer could not be kept.';
  return {
    at: now,
    leases: [orphanLease(lease, problem)],
    messages: [aliveMessage(lease, 'orphan', now, ids)],
    audit: [grantAudit(grant, 'lease-orphaned', 'system', now, { lease: lease.id, until: lease.validUntil })],
  };
}

/**
 * A new upstream token for a live grant: the subject looked up, the attempt recorded, then the homeserver.
 * @throws MintwardenError `homeserver-unreachable` | `homeserver-refused`, and `not-allowed` where the grant
 *   does not count (any more)
 */
export async function renewLease(
  services: Services,
  id: GrantId,
): Promise<UpstreamToken & { readonly lease: Lease }> {
  const grant = await checkSubjectNow(services, await goodGrant(services, id));
  const now = services.clock.now();
  const validUntil = Math.min(grant.expiresAt, now + services.policy().leaseMs);
  const lease = askingLease(newIds(services.random).lease(), id, grant.subject, now, validUntil);
  const requested = await services.ledger.commit({
    at: now,
    leases: [lease],
    audit: [grantAudit(grant, 'lease-requested', 'system', now, { lease: lease.id, until: validUntil })],
  });
  if (requested !== 'committed')
    throw new MintwardenError('conflict', 'The lease could not be recorded.', 'Try again.');
  const issued = await issueToken(services, lease);
  const kept = await keep(services, lease, issued);
  if (kept !== null && issued.kind === 'issued')
    return { leaseId: lease.id, token: issued.token, lease: kept };
  throw noUpstream(issued);
}

async function goodGrant(services: Services, id: GrantId): Promise<Grant> {
  const grant = await services.ledger.grant(id);
  if (grant !== null && effectiveState(grant, services.clock.now()) === 'active') return grant;
  throw new MintwardenError('not-allowed', `Grant ${id} does not count.`);
}

/** The alive row, or null where the answer was of no use or no longer wanted. */
async function keep(services: Services, asked: Lease, issued: IssueResult): Promise<Lease | null> {
  const decide = async (): Promise<Decision<Lease | null>> => {
    const [grant, lease] = await Promise.all([
      services.ledger.grant(asked.grantId),
      services.ledger.lease(asked.id),
    ]);
    if (grant === null || lease === null)
      throw new MintwardenError('state', `The record of a lease of grant ${asked.grantId} is gone.`);
    const now = services.clock.now();
    const sealed = issued.kind === 'issued' ? services.sealer.seal(leaseRow(lease.id), issued.token) : null;
    if (!stillWanted(grant, lease, now))
      return { change: decideLateAnswer(grant, lease, issued, sealed, now), value: null };
    const change = decideRenewed(grant, lease, issued, sealed, now, newIds(services.random));
    return { change, value: issued.kind === 'issued' ? (change.leases?.[0] ?? null) : null };
  };
  try {
    const outcome = await decideAndCommit(services.ledger, decide);
    return outcome.kind === 'done' ? outcome.value : null;
  } catch (error) {
    if (issued.kind === 'issued') await services.issuer.kill(issued.token).catch(() => undefined);
    throw error;
  }
}

function noUpstream(issued: IssueResult): MintwardenError {
  if (issued.kind === 'refused')
    return new MintwardenError('homeserver-refused', 'The homeserver refused a new upstream token.');
  if (issued.kind === 'unknown')
    return new MintwardenError('homeserver-unreachable', 'The homeserver gave no usable answer.');
  return new MintwardenError('not-allowed', 'The grant ended in the meantime.');
}
