import type { Change } from '../../domain/change.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Message } from '../../domain/message.ts';
import type { KillResult } from '../../ports/issuer.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { backoffMs } from '../backoff.ts';
import { decideAndCommit, type Decision } from '../decide-and-commit.ts';
import { reviseLease, deadLease } from '../rows/lease-row.ts';
import { newMessage } from '../rows/message-row.ts';
import { newIds, type NewIds } from '../rows/new-id.ts';
import { problemOf } from '../problem.ts';
import { leaseRow } from '../rows/sealed-row.ts';
import type { Services } from '../services.ts';

/** A log-out is given up this long after the token's own end: by then the homeserver has ended it itself. */
const GIVE_UP_AFTER_END_MS = 3_600_000;

/**
 * What a try to log a token out came to. `unopenable`: the sealed copy cannot be opened, so no further try
 * can work.
 */
type KillTry = KillResult | { readonly kind: 'unopenable'; readonly problem: string };

/** Tells the control room of an upstream token that may be alive. */
export function aliveMessage(
  lease: Lease,
  why: 'orphan' | 'unkillable' | 'died-early',
  now: number,
  ids: NewIds,
): Message {
  const body = { kind: 'upstream-alive', why, until: lease.validUntil } as const;
  return newMessage({
    id: ids.message(),
    grantId: lease.grantId,
    to: { kind: 'control', replyTo: null },
    body,
    at: now,
  });
}

/** What becomes of a lease that is being killed, after one try. */
export function decideKilled(
  grant: Grant,
  lease: Lease,
  tried: KillTry,
  retryMs: number,
  now: number,
  ids: NewIds,
): Change {
  if (tried.kind === 'dead') {
    return {
      at: now,
      leases: [deadLease(lease, now)],
      audit: [
        grantAudit(grant, 'lease-killed', 'system', now, { lease: lease.id, attempts: lease.attempts + 1 }),
      ],
    };
  }
  const attempts = lease.attempts + 1;
  if (tried.kind === 'unknown' && now < lease.validUntil + GIVE_UP_AFTER_END_MS) {
    return {
      at: now,
      leases: [reviseLease(lease, { attempts, lastProblem: tried.problem, nextActionAt: now + retryMs })],
    };
  }
  const keep = now < lease.validUntil;
  return {
    at: now,
    leases: [
      reviseLease(lease, {
        state: 'unkillable',
        attempts,
        lastProblem: tried.problem,
        sealed: keep ? lease.sealed : null,
        nextActionAt: keep ? lease.validUntil : null,
      }),
    ],
    messages: [aliveMessage(lease, 'unkillable', now, ids)],
    audit: [
      grantAudit(grant, 'lease-unkillable', 'system', now, {
        lease: lease.id,
        until: lease.validUntil,
        attempts,
      }),
    ],
  };
}

/** What logging an upstream token out takes. */
type Killer = Pick<Services, 'ledger' | 'issuer' | 'sealer' | 'clock' | 'random'>;

/** Logs one upstream token out, once; the row says when to try again. */
export async function killLease(services: Killer, lease: Lease): Promise<void> {
  const tried = await tryKill(services, lease);
  await decideAndCommit(services.ledger, async (): Promise<Decision<null>> => {
    const [row, grant] = await Promise.all([
      services.ledger.lease(lease.id),
      services.ledger.grant(lease.grantId),
    ]);
    if (row === null || grant === null || row.state !== 'killing') return { change: null, value: null };
    return {
      change: decideKilled(
        grant,
        row,
        tried,
        backoffMs(row.attempts, services.random),
        services.clock.now(),
        newIds(services.random),
      ),
      value: null,
    };
  });
}

async function tryKill(services: Killer, lease: Lease): Promise<KillTry> {
  let token: string;
  try {
    if (lease.sealed === null)
      return { kind: 'unopenable', problem: 'There is no copy of the token to log out with.' };
    token = services.sealer.open(leaseRow(lease.id), lease.sealed);
  } catch (error) {
    return { kind: 'unopenable', problem: problemOf(error) };
  }
  try {
    return await services.issuer.kill(token);
  } catch (error) {
    return { kind: 'unknown', problem: problemOf(error) };
  }
}
