import type { EventId, GrantId, LeaseId, RoomId } from '../domain/ids.ts';

/** What a holder's transaction id belongs to: the same four, the same write. */
export type TransactionKey = {
  readonly grantId: GrantId;
  readonly roomId: RoomId;
  /** What is done there: the type of event that is sent, or the event that is redacted. */
  readonly action: string;
  /** The holder's own. */
  readonly txnId: string;
};

/** A write that was begun. Its content is not kept, only a digest of it. */
export type BegunTransaction = TransactionKey & {
  readonly digest: string;
  /** With whose token it was, or was to be, sent. */
  readonly leaseId: LeaseId;
  readonly begunAt: number;
};

/** A write as it is known. No event id: whether it was sent is not known. */
export type Transaction = BegunTransaction & { readonly eventId: EventId | null };

/**
 * The writes of grants, remembered for as long as their grant lives and a day more: the homeserver forgets
 * transaction ids when it restarts, and knows none of another lease's. Everything here is durable (survives
 * kill -9 and power loss) before it resolves. A failed look-up throws MintwardenError `state`; it is never
 * the same as "not there".
 */
export interface Transactions {
  find(key: TransactionKey): Promise<Transaction | null>;
  /** Writes down that it is about to be sent. False: it is known already, and nothing was written. */
  begin(begun: BegunTransaction): Promise<boolean>;
  /**
   * The homeserver did not act, since it did not know the token: it is about to be sent with another lease.
   */
  resume(key: TransactionKey, leaseId: LeaseId): Promise<void>;
  /** It is in the room, as this event. An event id that is known stays. */
  sent(key: TransactionKey, eventId: EventId): Promise<void>;
  /** It was certainly not sent: it may be begun again. What has an event id stays. */
  unsent(key: TransactionKey): Promise<void>;
  /** Forgets the writes of grants that were over before this moment. */
  forgetBefore(endedAt: number): Promise<void>;
}
