import type { Lease } from '../../domain/lease.ts';
import type { GrantId, LeaseId, UserId } from '../../domain/ids.ts';

/** A response that takes longer is considered lost; a token that arrives later is killed at once. */
export const ASKING_PATIENCE_MS = 120_000;

/** The row of an attempt, as it is written before the homeserver is asked. */
export function askingLease(
  id: LeaseId,
  grantId: GrantId,
  subject: UserId,
  now: number,
  validUntil: number,
): Lease {
  return {
    id,
    revision: 1,
    grantId,
    subject,
    state: 'asking',
    createdAt: now,
    validUntil,
    sealed: null,
    attempts: 0,
    lastProblem: null,
    nextActionAt: now + ASKING_PATIENCE_MS,
  };
}

/** The next revision of a row. */
export function reviseLease(lease: Lease, fields: Partial<Lease>): Lease {
  return { ...lease, ...fields, revision: lease.revision + 1 };
}

/** The homeserver made it. Looked at again at its end, to be logged out and erased. */
export function aliveLease(lease: Lease, sealed: string): Lease {
  return reviseLease(lease, { state: 'alive', sealed, nextActionAt: lease.validUntil });
}

/** To be logged out now. */
export function killingLease(lease: Lease, now: number, sealed: string | null = lease.sealed): Lease {
  return reviseLease(lease, { state: 'killing', sealed, attempts: 0, nextActionAt: now });
}

/**
 * The homeserver confirmed its end. The sealed copy stays until the token's own end has passed: a restored
 * homeserver would revive it.
 */
export function deadLease(lease: Lease, now: number): Lease {
  const keep = lease.sealed !== null && now < lease.validUntil;
  return reviseLease(lease, {
    state: 'dead',
    sealed: keep ? lease.sealed : null,
    nextActionAt: keep ? lease.validUntil : null,
  });
}

/** Perhaps made, never seen by us. */
export function orphanLease(lease: Lease, problem: string): Lease {
  return reviseLease(lease, { state: 'orphan', lastProblem: problem, nextActionAt: lease.validUntil });
}

/** The homeserver said no: nothing was made. */
export function refusedLease(lease: Lease, problem: string): Lease {
  return reviseLease(lease, { state: 'dead', lastProblem: problem, nextActionAt: null });
}
