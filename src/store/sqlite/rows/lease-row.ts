import type { Lease, LeaseState } from '../../../domain/lease.ts';
import { type Columns, undecodableRow, oneOf, type StoredRow } from './decode.ts';

/** Every state a lease can be in. */
export const LEASE_STATES: readonly LeaseState[] = [
  'asking',
  'alive',
  'killing',
  'dead',
  'orphan',
  'unkillable',
];

/** A lease as columns. */
export function leaseColumns(lease: Lease): Columns {
  return {
    id: lease.id,
    revision: lease.revision,
    grant_id: lease.grantId,
    subject: lease.subject,
    state: lease.state,
    created_at: lease.createdAt,
    valid_until: lease.validUntil,
    sealed: lease.sealed,
    attempts: lease.attempts,
    last_problem: lease.lastProblem,
    next_action_at: lease.nextActionAt,
  };
}

/**
 * A lease from its row.
 * @throws MintwardenError `state` for a row that is not understood
 */
export function leaseFromRow(row: StoredRow): Lease {
  try {
    return {
      id: row['id'] as Lease['id'],
      revision: row['revision'] as number,
      grantId: row['grant_id'] as Lease['grantId'],
      subject: row['subject'] as Lease['subject'],
      state: oneOf(LEASE_STATES, row['state']),
      createdAt: row['created_at'] as number,
      validUntil: row['valid_until'] as number,
      sealed: row['sealed'] as string | null,
      attempts: row['attempts'] as number,
      lastProblem: row['last_problem'] as string | null,
      nextActionAt: row['next_action_at'] as number | null,
    };
  } catch (error) {
    throw undecodableRow('leases', String(row['id']), error);
  }
}
