import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventId, GrantId, LeaseId, RoomId } from '../../src/domain/ids.ts';
import type { BegunTransaction, Transactions } from '../../src/ports/transactions.ts';

/** Transactions that start empty, of grants that are live. */
export type TransactionsUnderTest = {
  readonly transactions: Transactions;
  /** Closes them and opens them again. */
  readonly reopen: () => Promise<Transactions>;
  /** Ends a grant at that moment. */
  readonly end: (grantId: GrantId, at: number) => Promise<void>;
  readonly cleanup: () => Promise<void>;
};

export const FIRST = 'AAAAA1' as GrantId;
export const SECOND = 'AAAAA2' as GrantId;

const begun: BegunTransaction = {
  grantId: FIRST,
  roomId: '!a:hs' as RoomId,
  action: 'send m.room.message',
  txnId: 'm1',
  digest: 'abc',
  leaseId: 'l1' as LeaseId,
  begunAt: 1_000,
};
const EVENT = '$e' as EventId;

/** What every memory of writes promises, whatever it is made of. */
export function transactionsContract(name: string, make: () => Promise<TransactionsUnderTest>): void {
  describe(`the writes of grants over ${name}`, () => {
    let under: TransactionsUnderTest;
    let transactions: Transactions;
    beforeEach(async () => {
      under = await make();
      ({ transactions } = under);
    });
    afterEach(() => under.cleanup());

    it('knows what was begun and what was sent, after a restart too', async () => {
      expect(await transactions.find(begun)).toBeNull();
      expect(await transactions.begin(begun)).toBe(true);
      expect(await transactions.find(begun)).toEqual({ ...begun, eventId: null });
      transactions = await under.reopen();
      expect(await transactions.find(begun)).toEqual({ ...begun, eventId: null });
      await transactions.sent(begun, EVENT);
      transactions = await under.reopen();
      expect(await transactions.find(begun)).toEqual({ ...begun, eventId: EVENT });
    });

    it('begins the same once, and changes nothing the second time', async () => {
      await transactions.begin(begun);
      expect(await transactions.begin({ ...begun, digest: 'other', leaseId: 'l2' as LeaseId })).toBe(false);
      expect(await transactions.find(begun)).toEqual({ ...begun, eventId: null });
    });

    it.each<[string, Partial<BegunTransaction>]>([
      ['another grant', { grantId: SECOND }],
      ['another room', { roomId: '!b:hs' as RoomId }],
      ['another action', { action: 'redact $x' }],
      ['another id', { txnId: 'M1' }],
    ])('keeps %s apart', async (_, change) => {
      await transactions.begin(begun);
      await transactions.sent(begun, EVENT);
      expect(await transactions.find({ ...begun, ...change })).toBeNull();
      expect(await transactions.begin({ ...begun, ...change })).toBe(true);
    });

    it('may begin again what was certainly not sent, and nothing else', async () => {
      await transactions.begin(begun);
      await transactions.unsent(begun);
      expect(await transactions.begin(begun)).toBe(true);
      await transactions.sent(begun, EVENT);
      await transactions.unsent(begun);
      expect(await transactions.begin(begun)).toBe(false);
      expect(await transactions.find(begun)).toEqual({ ...begun, eventId: EVENT });
    });

    it('moves to another lease, and keeps the first event id', async () => {
      await transactions.begin(begun);
      await transactions.resume(begun, 'l2' as LeaseId);
      expect(await transactions.find(begun)).toMatchObject({ leaseId: 'l2', eventId: null });
      await transactions.sent(begun, EVENT);
      await transactions.sent(begun, '$other' as EventId);
      await transactions.resume(begun, 'l3' as LeaseId);
      expect(await transactions.find(begun)).toEqual({ ...begun, leaseId: 'l2', eventId: EVENT });
    });

    it('forgets the writes of a grant only when that has been over long enough', async () => {
      await transactions.begin(begun);
      await transactions.begin({ ...begun, grantId: SECOND });
      await transactions.forgetBefore(10_000_000_000_000);
      expect(await transactions.find(begun)).not.toBeNull();
      await under.end(FIRST, 5_000);
      await transactions.forgetBefore(5_000);
      expect(await transactions.find(begun)).not.toBeNull();
      await transactions.forgetBefore(5_001);
      expect(await transactions.find(begun)).toBeNull();
      expect(await transactions.find({ ...begun, grantId: SECOND })).not.toBeNull();
    });
  });
}
