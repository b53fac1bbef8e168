import { describe, expect, it } from 'vitest';
import type { Lease } from '../../src/domain/lease.ts';
import type { IssueResult } from '../../src/ports/issuer.ts';
import { decideRenewed } from '../../src/lifecycle/access/renew-lease.ts';
import { decideKilled } from '../../src/lifecycle/leases/kill-lease.ts';
import { decideLateAnswer, stillWanted } from '../../src/lifecycle/leases/late-answer.ts';
import { decideLeaseDue } from '../../src/lifecycle/leases/lease-due.ts';
import {
  aliveLease,
  askingLease,
  deadLease,
  killingLease,
  orphanLease,
  refusedLease,
} from '../../src/lifecycle/rows/lease-row.ts';
import { buildGrant } from '../support/grants.ts';
import { ALICE } from './support/homeserver.ts';

// Whole changes are compared: what is written beside the rows (the audit, the news) is as much a promise.

const HOUR = 3_600_000;
const MINUTE = 60_000;
const ids = { lease: () => 'lease' as never, message: () => 'm1' as never };
const grant = buildGrant({ state: 'live', expiresAt: 10 * HOUR, subject: ALICE });
const asking = askingLease('l1' as never, grant.id, ALICE, 0, HOUR);
const alive = aliveLease(asking, 'sealed');
const killing = killingLease(alive, 5);
const dead = deadLease(killing, 6);
const orphan = orphanLease(asking, 'lost');
const issued: IssueResult = { kind: 'issued', token: 'syt' };
const refused: IssueResult = { kind: 'refused', why: 'limited', problem: 'No.' };
const unknown: IssueResult = { kind: 'unknown', problem: 'Silence.' };

const audit = (action: string, at: number, data: object) => [
  { at, actor: 'system', action, grantId: grant.id, subject: ALICE, command: null, data },
];
const news = (why: string, at: number) => [
  expect.objectContaining({
    grantId: grant.id,
    to: { kind: 'control', replyTo: null },
    body: { kind: 'upstream-alive', why, until: HOUR },
    createdAt: at,
  }),
];
const next = (lease: Lease, fields: Partial<Lease>): Lease => ({
  ...lease,
  ...fields,
  revision: lease.revision + 1,
});

describe('the rows of a lease', () => {
  it('say of each state when it is looked at again', () => {
    expect(asking).toMatchObject({ state: 'asking', revision: 1, sealed: null, nextActionAt: 2 * MINUTE });
    expect(alive).toEqual(next(asking, { state: 'alive', sealed: 'sealed', nextActionAt: HOUR }));
    expect(killing).toEqual(next(alive, { state: 'killing', attempts: 0, nextActionAt: 5 }));
    expect(killingLease(orphan, 7, 'found')).toEqual(
      next(orphan, { state: 'killing', sealed: 'found', nextActionAt: 7 }),
    );
    expect(dead).toEqual(next(killing, { state: 'dead', nextActionAt: HOUR }));
    expect(deadLease(killing, HOUR)).toEqual(
      next(killing, { state: 'dead', sealed: null, nextActionAt: null }),
    );
    expect(deadLease(asking, 6)).toEqual(next(asking, { state: 'dead', nextActionAt: null }));
    expect(orphan).toEqual(next(asking, { state: 'orphan', lastProblem: 'lost', nextActionAt: HOUR }));
    expect(refusedLease(asking, 'No.')).toEqual(
      next(asking, { state: 'dead', lastProblem: 'No.', nextActionAt: null }),
    );
  });
});

describe('a renewal that is wanted', () => {
  it('keeps what was issued', () =>
    expect(decideRenewed(grant, asking, issued, 'sealed', 9, ids)).toEqual({
      at: 9,
      grants: [{ ...grant, revision: grant.revision + 1 }],
      leases: [alive],
      audit: audit('lease-made', 9, { lease: 'l1', until: HOUR }),
    }));
  it('notes a refusal', () =>
    expect(decideRenewed(grant, asking, refused, null, 9, ids)).toEqual({
      at: 9,
      leases: [refusedLease(asking, 'No.')],
      audit: audit('lease-failed', 9, { lease: 'l1', problem: 'No.' }),
    }));
  it.each([
    [unknown, 'Silence.'],
    [issued, 'The answer could not be kept.'],
  ])('says of what may be alive (%j)', (answer, problem) =>
    expect(decideRenewed(grant, asking, answer, null, 9, ids)).toEqual({
      at: 9,
      leases: [orphanLease(asking, problem)],
      messages: news('orphan', 9),
      audit: audit('lease-orphaned', 9, { lease: 'l1', until: HOUR }),
    }),
  );
});

describe('an answer that nobody waits for', () => {
  it.each([asking, orphan])('is logged out where a token came ($state)', (lease) =>
    expect(decideLateAnswer(grant, lease, issued, 'found', 9)).toEqual({
      at: 9,
      leases: [killingLease(lease, 9, 'found')],
      audit: audit('lease-made', 9, { lease: 'l1', unwanted: true }),
    }),
  );
  it.each([asking, orphan])('is noted where it was a no ($state)', (lease) =>
    expect(decideLateAnswer(grant, lease, refused, null, 9)).toEqual({
      at: 9,
      leases: [refusedLease(lease, 'No.')],
      audit: audit('lease-failed', 9, { lease: 'l1' }),
    }),
  );
  it.each([
    [unknown, 'Silence.'],
    [issued, 'The answer could not be kept.'],
  ])('may have left something alive (%j)', (answer, problem) =>
    expect(decideLateAnswer(grant, asking, answer, null, 9)).toEqual({
      at: 9,
      leases: [orphanLease(asking, problem)],
      audit: audit('lease-orphaned', 9, { lease: 'l1', until: HOUR }),
    }),
  );
  it('is nothing new where that is known, or the lease has gone its way', () => {
    expect(decideLateAnswer(grant, orphan, unknown, null, 9)).toBeNull();
    expect(decideLateAnswer(grant, orphan, issued, null, 9)).toBeNull();
    for (const lease of [alive, killing, dead, next(dead, { state: 'unkillable' })])
      expect(decideLateAnswer(grant, lease, issued, 'found', 9)).toBeNull();
  });

  it('is wanted while it is asked for, and the grant lives', () => {
    expect(stillWanted(grant, asking, 9)).toBe(true);
    for (const lease of [alive, killing, dead, orphan]) expect(stillWanted(grant, lease, 9)).toBe(false);
    expect(stillWanted(grant, asking, 10 * HOUR)).toBe(false);
    expect(stillWanted({ ...grant, state: 'ended' }, asking, 9)).toBe(false);
    expect(stillWanted({ ...grant, suspended: true }, asking, 9)).toBe(true);
    const minting = { ...grant, state: 'minting' as const };
    expect(stillWanted(minting, asking, 10 * HOUR - 1)).toBe(true);
    expect(stillWanted(minting, asking, 10 * HOUR)).toBe(false);
  });
});

describe('what its clock brings', () => {
  it('to one that is asked for: the end of patience, told while the token could live', () => {
    const given = (at: number) => ({
      at,
      leases: [orphanLease(asking, 'No answer was seen.')],
      audit: audit('lease-orphaned', at, { lease: 'l1', until: HOUR }),
    });
    expect(decideLeaseDue(grant, asking, true, 2 * MINUTE - 1, ids)).toBeNull();
    expect(decideLeaseDue(grant, asking, true, 2 * MINUTE, ids)).toEqual({
      ...given(2 * MINUTE),
      messages: news('orphan', 2 * MINUTE),
    });
    expect(decideLeaseDue(grant, asking, false, 1, ids)).toEqual({
      ...given(1),
      messages: news('orphan', 1),
    });
    expect(decideLeaseDue(grant, asking, false, HOUR - 1, ids)?.messages).toHaveLength(1);
    expect(decideLeaseDue(grant, asking, false, HOUR, ids)).toEqual({ ...given(HOUR), messages: [] });
  });

  it.each([
    [alive, killingLease(alive, HOUR)],
    [orphan, next(orphan, { state: 'dead', nextActionAt: null })],
    [dead, next(dead, { sealed: null, nextActionAt: null })],
    [
      next(killing, { state: 'unkillable', nextActionAt: HOUR }),
      next(next(killing, { state: 'unkillable', nextActionAt: HOUR }), { sealed: null, nextActionAt: null }),
    ],
  ])('to one that is $state: its end', (lease, after) => {
    expect(decideLeaseDue(grant, lease, true, HOUR - 1, ids)).toBeNull();
    expect(decideLeaseDue(grant, lease, true, HOUR, ids)).toEqual({ at: HOUR, leases: [after] });
  });

  it('nothing to one that is being logged out, or is not due for anything', () => {
    expect(decideLeaseDue(grant, killing, false, 2 * HOUR, ids)).toBeNull();
    for (const lease of [asking, alive, orphan, dead])
      expect(decideLeaseDue(grant, { ...lease, nextActionAt: null }, false, 2 * HOUR, ids)).toBeNull();
  });
});

describe('a try to log one out', () => {
  it('that was confirmed', () =>
    expect(decideKilled(grant, { ...killing, attempts: 2 }, { kind: 'dead' }, 50, 9, ids)).toEqual({
      at: 9,
      leases: [deadLease({ ...killing, attempts: 2 }, 9)],
      audit: audit('lease-killed', 9, { lease: 'l1', attempts: 3 }),
    }));

  it.each([9, 2 * HOUR - 1])('that was not is made again, until an hour after its end (%i)', (now) =>
    expect(decideKilled(grant, killing, unknown as never, 50, now, ids)).toEqual({
      at: now,
      leases: [next(killing, { attempts: 1, lastProblem: 'Silence.', nextActionAt: now + 50 })],
    }),
  );

  it.each([
    ['is given up then', { kind: 'unknown', problem: 'P' } as const, 2 * HOUR, null, null],
    ['cannot work', { kind: 'unopenable', problem: 'P' } as const, HOUR - 1, 'sealed', HOUR],
    ['cannot work, after its end', { kind: 'unopenable', problem: 'P' } as const, HOUR, null, null],
  ])('that %s is told', (_, tried, now, sealed, nextActionAt) =>
    expect(decideKilled(grant, killing, tried, 50, now, ids)).toEqual({
      at: now,
      leases: [next(killing, { state: 'unkillable', attempts: 1, lastProblem: 'P', sealed, nextActionAt })],
      messages: news('unkillable', now),
      audit: audit('lease-unkillable', now, { lease: 'l1', until: HOUR, attempts: 1 }),
    }),
  );
});
