import type { Anchor, OldCopy } from '../domain/anchor.ts';
import type { EventId, LeaseId, MessageId } from '../domain/ids.ts';

/** An anchor as it was posted: the event that the homeserver has taken, and the room it is in. */
export type PostedAnchor = { readonly anchor: Anchor; readonly eventId: EventId; readonly roomId: string };

/**
 * What the ledger knows about itself besides its rows: its generation, the last anchor it posted, and the
 * latest time it has seen. Durable before it resolves; a failure is MintwardenError `state`.
 */
export interface AnchorStore {
  generation(): Promise<number>;
  /** What is known of the newer state, if this one is an old copy that no operator has confirmed; else null. */
  oldCopy(): Promise<OldCopy | null>;
  markOldCopy(copy: OldCopy): Promise<void>;
  /** Begins a new generation: clears the mark of an old copy and the last posted anchor. */
  beginGeneration(generation: number): Promise<void>;
  posted(): Promise<PostedAnchor | null>;
  recordPosted(posted: PostedAnchor): Promise<void>;
  /** How many uses of grants were counted in all. */
  totalUses(): Promise<number>;
  /** The hash of the audit's row at a place; null where there is none. */
  hashAt(seq: number): Promise<string | null>;
  /**
   * Upstream tokens of which a copy is kept, that were logged out or are to be, and whose own end has not
   * come.
   */
  keptLeases(now: number): Promise<readonly LeaseId[]>;
  /** Messages that wait to be sent. */
  messagesWaiting(): Promise<readonly MessageId[]>;
  /** The latest time recorded, epoch ms; 0: none yet. */
  latestSeen(): Promise<number>;
  /** Records a time, unless a later one is recorded; with `overwrite`, in any case. */
  recordSeen(at: number, overwrite?: 'overwrite'): Promise<void>;
}

/** An event as the control room has it. */
export type AnchorEvent = { readonly eventId: EventId; readonly content: Readonly<Record<string, unknown>> };

/**
 * The control room as the place where anchors are posted. Throws MintwardenError `homeserver-unreachable` |
 * `homeserver-refused` | `homeserver-invalid-response`.
 */
export interface AnchorRoom {
  readonly roomId: string;
  /** The bot's own events of the kind, newest first; not all of a long past. */
  newest(): Promise<readonly AnchorEvent[]>;
  /**
   * The same by the issuer account's right to see every room, for when the bot is logged out or put out of
   * it.
   */
  newestByIssuer?(): Promise<readonly AnchorEvent[]>;
  post(content: Readonly<Record<string, unknown>>, transactionId: string): Promise<EventId>;
  /** Whether the homeserver still has the event. */
  has(eventId: EventId): Promise<boolean>;
}
