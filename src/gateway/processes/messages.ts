import type { ErrorCode } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { EventId, GrantId, LeaseId, RoomId } from '../../domain/ids.ts';
import type { UpstreamToken } from '../../lifecycle/access/access-control.ts';
import type { BegunTransaction, Transaction, TransactionKey } from '../../ports/transactions.ts';
import type { RateClass } from '../http/call.ts';
import type { MediaAddress } from '../../domain/media-address.ts';
import type { GatewayOptions } from '../server.ts';

/** What a grant opens, as it is sent to a child. `version` tells the states sent to one child apart. */
export type GrantSnapshot = {
  readonly version: number;
  readonly grant: Grant;
  readonly rooms: readonly RoomId[];
};

/** What a presented token is worth. `same`: the snapshot that the child has is still right. */
export type TokenCheck =
  | { readonly kind: 'valid'; readonly snapshot: GrantSnapshot }
  | { readonly kind: 'same'; readonly grantId: GrantId }
  | { readonly kind: 'suspended'; readonly grantId: GrantId }
  | { readonly kind: 'locked-down'; readonly grantId: null }
  | { readonly kind: 'invalid'; readonly grantId: GrantId | null };

type OfGrant = { readonly grantId: GrantId };
type OfTransaction = { readonly key: TransactionKey };

/** A grant uploaded a file, or reserved an address for one. */
export type OwnMediaEvent = OfGrant & {
  readonly address: MediaAddress;
  readonly as: 'created' | 'uploaded';
};

/** A limit of each grant that holds for all processes together: requests at the same time, and in a second. */
export type SharedLimit = 'slots' | 'requests';

/** What was lent of it. `waitMs`: if that is nothing, when it is worth asking again. */
export type Loan = { readonly count: number; readonly waitMs: number };

type OfLimit = OfGrant & { readonly limit: SharedLimit; readonly count: number };

/** Everything a child can call. Plain data, since it is sent as JSON. */
export type IpcMethods = {
  readonly present: {
    readonly params: { readonly token: string; readonly have: number | null };
    readonly result: TokenCheck;
  };
  readonly upstream: { readonly params: OfGrant; readonly result: UpstreamToken };
  readonly upstreamRefused: {
    readonly params: OfGrant & { readonly leaseId: LeaseId };
    readonly result: UpstreamToken | 'gone' | 'unavailable';
  };
  readonly refresh: {
    readonly params: OfGrant & { readonly spokenOf: readonly RoomId[] | 'again' | null };
    readonly result: GrantSnapshot | null;
  };
  readonly use: { readonly params: OfGrant; readonly result: boolean };
  readonly useOver: { readonly params: OfGrant; readonly result: null };
  readonly usesLeft: { readonly params: OfGrant; readonly result: number | null };
  readonly withdraw: { readonly params: OfGrant; readonly result: null };
  readonly takeRate: {
    readonly params: OfGrant & { readonly rateClass: RateClass };
    readonly result: number;
  };
  readonly borrow: { readonly params: OfLimit; readonly result: Loan };
  readonly giveBack: { readonly params: OfLimit; readonly result: null };
  readonly charge: { readonly params: OfGrant & { readonly count: number }; readonly result: null };
  readonly find: { readonly params: OfTransaction; readonly result: Transaction | null };
  readonly begin: { readonly params: { readonly begun: BegunTransaction }; readonly result: boolean };
  readonly resume: { readonly params: OfTransaction & { readonly leaseId: LeaseId }; readonly result: null };
  readonly sent: { readonly params: OfTransaction & { readonly eventId: EventId }; readonly result: null };
  readonly unsent: { readonly params: OfTransaction; readonly result: null };
  readonly made: { readonly params: OwnMediaEvent; readonly result: null };
  readonly forgetBefore: { readonly params: { readonly endedAt: number }; readonly result: null };
};

/** The name of something that can be called. */
export type IpcMethod = keyof IpcMethods;

/** One call. */
export type IpcCall = { [K in IpcMethod]: { readonly kind: K } & IpcMethods[K]['params'] }[IpcMethod];

/** A MintwardenError as it is sent. */
export type IpcError = { readonly code: ErrorCode; readonly message: string; readonly next: string | null };

/** What changed. An empty one is a heartbeat. */
export type Update = {
  /** The bot's clock, epoch ms: a child's system clock may be wrong. */
  readonly now: number;
  /** The shared revision that a child is current with once it has applied this. */
  readonly at: number;
  /** Grants whose snapshots are no longer right. */
  readonly changed: readonly GrantId[];
  /** Grants whose upstream token may be another. */
  readonly leases: readonly GrantId[];
  /** Grants that are no longer valid, and what their holders are told from now on; null: ask for that. */
  readonly over: readonly (OfGrant & { readonly as: 'inactive' | 'suspended' | null })[];
  /** Rooms that are outside every scope from now on. */
  readonly outside: readonly RoomId[];
};

/** The gateway's options that are plain data, and so can be sent to a child. */
export type ChildSetup = Omit<
  GatewayOptions,
  | 'observer'
  | 'onFiltersDiffer'
  | 'requestRate'
  | 'slots'
  | 'accessControl'
  | 'sentence'
  | 'transactions'
  | 'rateLimiters'
  | 'uploads'
  | 'clock'
  | 'log'
>;

/** From the bot's process to a child. */
export type ToChild =
  | { readonly type: 'setup'; readonly setup: ChildSetup; readonly at: number; readonly now: number }
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: IpcError }
  | ({ readonly type: 'update' } & Update)
  | ({ readonly type: 'own-media' } & OwnMediaEvent)
  /** Asks for what is not used of a limit; answered by `reclaimed`. */
  | ({ readonly type: 'reclaim' } & Reclaimed)
  | { readonly type: 'metrics' }
  | { readonly type: 'close' };

/** What a child does not use of a limit. `id`: of what asked for it. */
export type Reclaimed = OfLimit & { readonly id: number };

/** From a child to the bot's process. `ack`: the oldest update not yet acknowledged was applied. */
export type FromChild =
  | { readonly type: 'call'; readonly id: number; readonly call: IpcCall }
  | { readonly type: 'ack' }
  | ({ readonly type: 'reclaimed' } & Reclaimed)
  | { readonly type: 'listening' }
  | { readonly type: 'filters-differ' }
  /** In answer to `metrics`. */
  | { readonly type: 'metrics'; readonly metrics: readonly object[] }
  | { readonly type: 'failed'; readonly error: IpcError };
