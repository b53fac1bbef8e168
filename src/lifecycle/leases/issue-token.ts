import type { Lease } from '../../domain/lease.ts';
import type { IssueResult } from '../../ports/issuer.ts';
import { problemOf } from '../problem.ts';
import type { Services } from '../services.ts';

/**
 * Asks the homeserver for a token. The port promises not to throw; if it does, the outcome is unknown.
 */
export async function issueToken(services: Pick<Services, 'issuer'>, lease: Lease): Promise<IssueResult> {
  try {
    return await services.issuer.issue(lease.subject, lease.validUntil);
  } catch (error) {
    return { kind: 'unknown', problem: problemOf(error) };
  }
}
