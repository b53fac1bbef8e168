import type { GrantId, LeaseId, UserId } from './ids.ts';

/**
 * One attempt at an upstream token. Written as `asking` before the homeserver is asked, so that whatever
 * it makes has a record:
 * - `asking`: asked, no answer known yet
 * - `alive`: the homeserver made it; sealed here
 * - `killing`: to be logged out, retried until confirmed
 * - `dead`: the homeserver confirmed that it is dead, or never made it, or an orphan whose own end has passed
 * - `orphan`: perhaps made, never seen by us; nobody holds it, it dies at `validUntil`
 * - `unkillable`: logging it out was given up; it dies at `validUntil`, an admin should look
 */
export type LeaseState = 'asking' | 'alive' | 'killing' | 'dead' | 'orphan' | 'unkillable';

/** See `LeaseState`. Times are epoch milliseconds. */
export type Lease = {
  readonly id: LeaseId;
  readonly revision: number;
  readonly grantId: GrantId;
  readonly subject: UserId;
  readonly state: LeaseState;
  readonly createdAt: number;
  /** When the homeserver itself ends the token. */
  readonly validUntil: number;
  /** The upstream token, sealed; kept until `validUntil` has passed, killed or not, then null. */
  readonly sealed: string | null;
  readonly attempts: number;
  readonly lastProblem: string | null;
  readonly nextActionAt: number | null;
};

/** May a token of this lease still be alive at the homeserver? */
export function mayBeAlive(lease: Lease, now: number): boolean {
  return lease.state !== 'dead' && now < lease.validUntil;
}
