import type { AuditRow } from '../domain/audit.ts';
import type { Change, Committed, ExcludedRoom, Pin } from '../domain/change.ts';
import type { Grant } from '../domain/grant.ts';
import type { EventId, GrantId, LeaseId, MessageId, UserId } from '../domain/ids.ts';
import type { Lease } from '../domain/lease.ts';
import type { Message } from '../domain/message.ts';

/** Which grants to list. Newest first. */
export type GrantFilter = {
  readonly states?: readonly Grant['state'][];
  readonly subject?: UserId;
  readonly minter?: string;
  readonly limit: number;
};

/** Rows whose `nextActionAt` has come. */
export type Due = {
  readonly grants: readonly Grant[];
  readonly leases: readonly Lease[];
  readonly messages: readonly Message[];
  /** The earliest `nextActionAt` of what is not due yet; null where there is none. */
  readonly nextAt: number | null;
};

/** Counts for `!status`, metrics and the decision how long ids are. */
export type LedgerCounts = {
  readonly grantsEver: number;
  readonly live: number;
  readonly leases: Readonly<Record<Lease['state'], number>>;
  readonly messagesWaiting: number;
  readonly auditRows: number;
  readonly auditHead: string;
  /** Stored rows that this process came upon and could not understand; `due` and `grants` leave them out. */
  readonly unreadable: number;
};

/** What has come due, and what waits. For metrics: it identifies nobody. */
export type Backlog = {
  readonly grants: Readonly<Record<Grant['state'], number>>;
  /** How many of those that are live are suspended. */
  readonly suspended: number;
  readonly leases: Readonly<Record<Lease['state'], number>>;
  /** How many of the unkillable have expired, and are no longer alive. */
  readonly lapsed: number;
  /** Rows whose `nextActionAt` has come, and the earliest of those; messages held back are not among them. */
  readonly due: Readonly<
    Record<'grants' | 'leases' | 'messages', { readonly count: number; readonly oldestAt: number | null }>
  >;
  /** Messages that were not accepted yet, and when the oldest was made. */
  readonly outbox: { readonly waiting: number; readonly oldestAt: number | null };
  readonly auditRows: number;
  readonly unreadable: number;
};

/**
 * The ledger: grants, leases, the outbox, the audit, and what must never be forgotten. A failed look-up
 * throws MintwardenError `state`; it is never the same as "not there".
 */
export interface Ledger {
  /** Writes a change whole or not at all, durably (survives kill -9 and power loss) before it resolves. */
  commit(change: Change): Promise<Committed>;
  /** Called in this process right after a commit, before `commit` resolves. Returns the way to stop. */
  onCommitted(listener: (change: Change) => void): () => void;

  grant(id: GrantId): Promise<Grant | null>;
  /** All grants whose id begins so (a normalised prefix), at most `limit`. */
  grantsByPrefix(prefix: string, limit: number): Promise<readonly Grant[]>;
  grants(filter: GrantFilter): Promise<readonly Grant[]>;
  lease(id: LeaseId): Promise<Lease | null>;
  leases(grantId: GrantId): Promise<readonly Lease[]>;
  message(id: MessageId): Promise<Message | null>;
  /** Oldest first. */
  messages(grantId: GrantId): Promise<readonly Message[]>;
  /** What is due at `now`, at most `limit` of each; messages held back by an unaccepted one are not due. */
  due(now: number, limit: number): Promise<Due>;
  excluded(): Promise<readonly ExcludedRoom[]>;
  pin(userId: UserId): Promise<Pin | null>;
  commandSeen(eventId: EventId, sessionId: string | null, messageIndex: number | null): Promise<boolean>;
  counts(): Promise<LedgerCounts>;
  backlog(now: number): Promise<Backlog>;
  /** Oldest first, from the row after `afterSeq`, at most `limit`. */
  audit(afterSeq: number, limit: number): Promise<readonly AuditRow[]>;
  /**
   * Counts one more use of a grant that is good for so many, durably as a commit, if there were fewer.
   * @returns how many there were with this one; null: there were as many before, and nothing was counted
   */
  use(id: GrantId, most: number): Promise<number | null>;
  /** How many uses of a grant were counted. */
  uses(id: GrantId): Promise<number>;
  close(): Promise<void>;
}
