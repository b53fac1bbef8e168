import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/domain/grant.ts';
import type { Lease } from '../../src/domain/lease.ts';
import { decideKilled } from '../../src/lifecycle/leases/kill-lease.ts';
import { aliveLease, askingLease, deadLease, killingLease } from '../../src/lifecycle/rows/lease-row.ts';
import { decideLeaseDue } from '../../src/lifecycle/leases/lease-due.ts';
import { decideRenewed, needsRenewal } from '../../src/lifecycle/access/renew-lease.ts';
import { ALICE } from './support/homeserver.ts';

const HOUR = 3_600_000;
const ids = { lease: () => 'lease' as never, message: () => 'message' as never };
const grant = { id: '7F3K9Q', subject: ALICE, revision: 4, expiresAt: 10 * HOUR } as Grant;
const asking = askingLease('l1' as never, '7F3K9Q' as never, ALICE, 0, HOUR);
const alive = aliveLease(asking, 'sealed');

describe('a lease', () => {
  it('is renewed near its end, and only if its grant outlives it', () => {
    expect(needsRenewal(alive, grant, HOUR * 0.89)).toBe(false);
    expect(needsRenewal(alive, grant, HOUR * 0.91)).toBe(true);
    expect(needsRenewal(alive, { expiresAt: HOUR }, HOUR * 0.99)).toBe(false);
    expect(needsRenewal({ createdAt: 0, validUntil: 120_000 }, grant, 61_000)).toBe(true);
  });

  it('that is renewed moves its grant on, so that an ending at the same time is noticed', () => {
    const change = decideRenewed(grant, asking, { kind: 'issued', token: 'x' }, 'sealed', 1, ids);
    expect(change.grants).toEqual([{ ...grant, revision: 5 }]);
    expect(JSON.stringify(change)).not.toMatch(/"x"/);
  });

  it('that has expired is logged out, and nothing happens to it before', () => {
    expect(decideLeaseDue(grant, alive, true, HOUR - 1, ids)).toBeNull();
    expect(decideLeaseDue(grant, alive, true, HOUR, ids)?.leases).toMatchObject([
      { state: 'killing', nextActionAt: HOUR },
    ]);
  });

  it('that is dead keeps its sealed copy until its own end, then loses it', () => {
    const dead = deadLease(killingLease(alive, 5), 6);
    expect(dead).toMatchObject({ state: 'dead', sealed: 'sealed', nextActionAt: HOUR });
    expect(decideLeaseDue(grant, dead, true, HOUR, ids)?.leases).toMatchObject([
      { state: 'dead', sealed: null, nextActionAt: null },
    ]);
  });

  it('without an answer becomes an orphan, at once when nobody can be waiting', () => {
    expect(decideLeaseDue(grant, asking, true, 1, ids)).toBeNull();
    expect(decideLeaseDue(grant, asking, false, 1, ids)?.leases).toMatchObject([{ state: 'orphan' }]);
  });

  it('whose copy cannot be opened is given up at once, and the control room told', () => {
    const change = decideKilled(
      grant,
      killingLease(alive, 5),
      { kind: 'unopenable', problem: 'no key' },
      1_000,
      6,
      ids,
    );
    expect(change.leases).toMatchObject([{ state: 'unkillable', sealed: 'sealed' }]);
    expect(change.messages).toMatchObject([
      { to: { kind: 'control' }, body: { kind: 'upstream-alive', why: 'unkillable', until: HOUR } },
    ]);
  });

  it('that is being killed is never left without a next step, a confirmation or a word', () => {
    const tried = fc.constantFrom(
      { kind: 'dead' } as const,
      { kind: 'unknown', problem: 'p' } as const,
      { kind: 'unopenable', problem: 'p' } as const,
    );
    fc.assert(
      fc.property(tried, fc.nat(4 * HOUR), fc.nat(60_000), (outcome, now, retryMs) => {
        const change = decideKilled(grant, killingLease(alive, 0), outcome, retryMs, now, ids);
        const [lease] = change.leases as [Lease];
        // Only the homeserver's own word makes one dead.
        expect(lease.state === 'dead').toBe(outcome.kind === 'dead');
        if (outcome.kind === 'unknown') expect(lease.state === 'killing').toBe(now < 2 * HOUR);
        if (outcome.kind === 'unopenable') expect(lease.state).toBe('unkillable');
        expect(lease.attempts).toBe(outcome.kind === 'dead' ? 0 : 1);
        if (lease.state === 'killing') expect(lease.nextActionAt).toBe(now + retryMs);
        else if (lease.state === 'unkillable') expect(change.messages).toHaveLength(1);
        else expect(lease.state).toBe('dead');
        if (now >= HOUR && lease.state !== 'killing') expect(lease.sealed).toBeNull();
      }),
    );
  });
});
