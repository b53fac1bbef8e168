import type { ErrorCode } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { EventId, GrantId, LeaseId, RoomId } from '../../domain/ids.ts';
import type { Upstream } from '../../lifecycle/access/access-control.ts';
import type { Begun, Transaction, TransactionKey } from '../../ports/transactions.ts';
import type { Pace } from '../request/call.ts';
import type { MediaAddress } from '../media/address.ts';
import type { GatewayOptions } from '../server.ts';

/**
 * What a grant opens, as it passes the pipe. `version` names this state of it between one child and the bot's
 * process.
 */
export type Told = { readonly version: number; readonly grant: Grant; readonly rooms: readonly RoomId[] };

/** What a presented token is worth. `same`: what the child has been told of it is true still. */
export type PresentedAs =
  | { readonly kind: 'good'; readonly told: Told }
  | { readonly kind: 'same'; readonly grantId: GrantId }
  | { readonly kind: 'suspended'; readonly grantId: GrantId }
  | { readonly kind: 'held'; readonly grantId: null }
  | { readonly kind: 'over'; readonly grantId: GrantId | null };

type About = { readonly grantId: GrantId };
type Row = { readonly key: TransactionKey };

/** A grant uploaded a file, or made an address for one. */
export type Made = About & { readonly address: MediaAddress; readonly as: 'created' | 'uploaded' };

/** Everything a gateway process can ask for. Plain data, since it passes a pipe as JSON. */
export type Asks = {
  readonly present: {
    readonly ask: { readonly token: string; readonly have: number | null };
    readonly answer: PresentedAs;
  };
  readonly upstream: { readonly ask: About; readonly answer: Upstream };
  readonly upstreamRefused: {
    readonly ask: About & { readonly leaseId: LeaseId };
    readonly answer: Upstream | 'gone' | 'unavailable';
  };
  readonly refresh: {
    readonly ask: About & { readonly spokenOf: readonly RoomId[] | null };
    readonly answer: Told | null;
  };
  readonly use: { readonly ask: About; readonly answer: boolean };
  readonly useOver: { readonly ask: About; readonly answer: null };
  readonly usesLeft: { readonly ask: About; readonly answer: number | null };
  readonly withdraw: { readonly ask: About; readonly answer: null };
  readonly pace: { readonly ask: About & { readonly pace: Pace }; readonly answer: number };
  readonly find: { readonly ask: Row; readonly answer: Transaction | null };
  readonly begin: { readonly ask: { readonly begun: Begun }; readonly answer: boolean };
  readonly resume: { readonly ask: Row & { readonly leaseId: LeaseId }; readonly answer: null };
  readonly sent: { readonly ask: Row & { readonly eventId: EventId }; readonly answer: null };
  readonly unsent: { readonly ask: Row; readonly answer: null };
  readonly made: { readonly ask: Made; readonly answer: null };
  readonly forgetBefore: { readonly ask: { readonly endedAt: number }; readonly answer: null };
};

/** The name of something that can be asked for. */
export type Asked = keyof Asks;

/** One question. */
export type Ask = { [K in Asked]: { readonly kind: K } & Asks[K]['ask'] }[Asked];

/** An error of the house, as it passes the pipe. */
export type Problem = { readonly code: ErrorCode; readonly message: string; readonly next: string | null };

/** What changed. Nothing in it: only a sign of life. */
export type News = {
  /** The time that counts in the bot's process, epoch ms: a child's machine clock may be wrong as any. */
  readonly now: number;
  /** The board's count that a child is abreast with when it has heard this. */
  readonly at: number;
  /** Grants of which nothing that was told before counts any more. */
  readonly changed: readonly GrantId[];
  /** Grants whose upstream token may be another. */
  readonly leases: readonly GrantId[];
  /** Grants that no longer count, and what their holders are told from now on; null: that is to be asked. */
  readonly over: readonly (About & { readonly as: 'over' | 'suspended' | null })[];
  /** Rooms that are outside every scope from now on. */
  readonly outside: readonly RoomId[];
};

/** What of a gateway's options is plain data, and so can be sent to a child. */
export type Setup = Omit<
  GatewayOptions,
  'observe' | 'access' | 'sentence' | 'transactions' | 'paces' | 'ownMedia' | 'clock' | 'log'
>;

/** From the bot's process to a child. */
export type ToChild =
  | { readonly type: 'setup'; readonly setup: Setup; readonly at: number; readonly now: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'problem'; readonly id: number; readonly problem: Problem }
  | ({ readonly type: 'news' } & News)
  | ({ readonly type: 'made' } & Made)
  | { readonly type: 'count' }
  | { readonly type: 'close' };

/** From a child to the bot's process. `heard`: one of the news, in their order. */
export type FromChild =
  | { readonly type: 'ask'; readonly id: number; readonly ask: Ask }
  | { readonly type: 'heard' }
  | { readonly type: 'listening' }
  /** In answer to `count`: what it has counted, as plain data. */
  | { readonly type: 'counted'; readonly numbers: readonly object[] }
  | { readonly type: 'failed'; readonly problem: Problem };
