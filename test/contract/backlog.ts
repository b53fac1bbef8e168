import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GrantId } from '../../src/domain/ids.ts';
import type { LedgerUnderTest } from './ledger.ts';
import { NOON, sampleAudit, sampleGrant, sampleLease, sampleMessage } from './sample.ts';

const MINUTE = 60_000;
const none = { count: 0, oldestAt: null };

/** What every ledger says of what has come due and what waits. */
export function backlogContract(name: string, make: () => Promise<LedgerUnderTest>): void {
  describe(`the backlog of ${name}`, () => {
    let under: LedgerUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.cleanup());

    it('is nothing at first, with each state named', async () => {
      expect(await under.ledger.backlog(NOON)).toEqual({
        grants: { minting: 0, live: 0, ended: 0, failed: 0 },
        suspended: 0,
        leases: { asking: 0, alive: 0, killing: 0, dead: 0, orphan: 0, unkillable: 0 },
        lapsed: 0,
        due: { grants: none, leases: none, messages: none },
        outbox: { waiting: 0, oldestAt: null },
        auditRows: 0,
        unreadable: 0,
      });
    });

    it('counts by state, what is due by now and since when, and what can no longer be alive', async () => {
      const { ledger } = under;
      const id = 'AAAAAA' as GrantId;
      await ledger.commit({
        at: NOON,
        grants: [
          sampleGrant({ id: 'AAAAAA', state: 'live', nextActionAt: NOON + 10 * MINUTE }),
          sampleGrant({ id: 'BBBBBB', state: 'live', suspended: true, nextActionAt: NOON + 5 * MINUTE }),
          sampleGrant({ id: 'CCCCCC', state: 'ended' }),
        ],
        leases: [
          sampleLease({ id: 'l1', grantId: id, state: 'unkillable', validUntil: NOON + 20 * MINUTE }),
          sampleLease({ id: 'l2', grantId: id, state: 'unkillable', validUntil: NOON + MINUTE }),
          sampleLease({ id: 'l3', grantId: id, state: 'killing', nextActionAt: NOON }),
        ],
        messages: [
          sampleMessage({ id: 'm1', grantId: id, createdAt: NOON - MINUTE, nextActionAt: NOON }),
          sampleMessage({ id: 'm2', grantId: id, after: 'm1', nextActionAt: NOON }),
        ],
        audit: [sampleAudit()],
      });
      expect(await ledger.backlog(NOON + 7 * MINUTE)).toEqual({
        grants: { minting: 0, live: 2, ended: 1, failed: 0 },
        suspended: 1,
        leases: { asking: 0, alive: 0, killing: 1, dead: 0, orphan: 0, unkillable: 2 },
        lapsed: 1,
        due: {
          grants: { count: 1, oldestAt: NOON + 5 * MINUTE },
          leases: { count: 1, oldestAt: NOON },
          // The second waits for the first, and so is not due.
          messages: { count: 1, oldestAt: NOON },
        },
        outbox: { waiting: 2, oldestAt: NOON - MINUTE },
        auditRows: 1,
        unreadable: 0,
      });
    });
  });
}
