import type { Actor, EventId, GrantId, MessageId, RoomId, UserId } from './ids.ts';
import type { EndCause } from './grant.ts';
import type { IncidentKind } from './incident.ts';
import type { HistoryNews } from './history-news.ts';

/**
 * What a message tells: a kind and the data that does not stand in the grant itself. Words are made when
 * it is sent, never stored; a secret is never in it.
 */
export type MessageBody =
  /** To the control room, in answer to the command: the grant is live. */
  | { readonly kind: 'minted'; readonly recipientJoined: boolean }
  /** To the control room, in answer: nothing was made, and why; what may be alive upstream is said. */
  | {
      readonly kind: 'mint-failed';
      readonly sentence: string;
      readonly next: string | null;
      readonly orphanUntil: number | null;
    }
  /** To the subject: an admin made a token that speaks for you. */
  | { readonly kind: 'notice' }
  /** To the recipient, once: the token itself, unsealed only while it is sent. */
  | { readonly kind: 'token' }
  /** To the subject: it is over. */
  | { readonly kind: 'ended-notice'; readonly cause: EndCause; readonly by: Actor }
  /** To the control room, in answer to `!revoke`. */
  | { readonly kind: 'revoked'; readonly upstream: 'killing' | 'dead' }
  /** To the control room or the subject's DM, in answer to the subject's own `!revoke`. */
  | { readonly kind: 'revoked-by-subject' }
  /** To the control room: a grant ended otherwise than by a command given there. */
  | { readonly kind: 'ended-report'; readonly cause: EndCause; readonly by: Actor }
  /** To the control room: the token waits for its recipient to join the DM, until `giveUpAt`. */
  | {
      readonly kind: 'delivery-waiting';
      readonly why: 'not-joined' | 'invite-refused' | 'no-signed-device' | 'room-unsafe' | 'identity-changed';
      readonly giveUpAt: number;
    }
  /** To the control room: an upstream token may be alive that nobody holds, or could not be logged out. */
  | {
      readonly kind: 'upstream-alive';
      readonly why: 'orphan' | 'unkillable' | 'died-early';
      readonly until: number;
    }
  /** To the control room: the subject was locked or unlocked. */
  | { readonly kind: 'suspended'; readonly on: boolean }
  /** To the control room: an operator at the machine confirmed somebody's new cryptographic identity. */
  | {
      readonly kind: 'identity-trusted';
      readonly userId: UserId;
      readonly masterKey: string;
      readonly by: Actor;
    }
  /** To the control room: other policy counts from now on. */
  | { readonly kind: 'policy-changed'; readonly changes: readonly SettingChange[]; readonly by: Actor }
  /**
   * To the control room, or to an admin where it cannot be used: something is wrong with the service, or
   * was resolved. An incident: the rows keep the name that it was first stored under.
   */
  | {
      readonly kind: 'trouble';
      readonly trouble: IncidentKind;
      readonly sentence: string;
      readonly next: string;
      readonly since: number;
      readonly overAt: number | null;
    }
  /** To the control room: the state, the homeserver or the clock is not what it was. */
  | { readonly kind: 'history'; readonly news: HistoryNews };

/** A key of the configuration whose value changed, both as they are written. Never one with a secret. */
export type SettingChange = { readonly key: string; readonly before: string; readonly after: string };

/**
 * Where a message goes: the control room, perhaps as a reply, someone's DM with the bot, or an operator's
 * file.
 */
export type Destination =
  | { readonly kind: 'control'; readonly replyTo: EventId | null }
  | { readonly kind: 'dm'; readonly userId: UserId; readonly replyTo: EventId | null }
  /** Handed over at the machine, when the operator takes it; never sent by itself. Tokens only. */
  | { readonly kind: 'operator'; readonly replyTo: null };

/** By what way a message reached the homeserver. */
export type Channel = 'encrypted' | 'server-notice' | 'plain';

/**
 * A row of the outbox. `waiting` until the homeserver has accepted the event; `abandoned` when it can no
 * longer be sent or no longer matters.
 */
export type Message = {
  readonly id: MessageId;
  readonly revision: number;
  readonly grantId: GrantId | null;
  readonly to: Destination;
  readonly body: MessageBody;
  /** Held back until this one was accepted. */
  readonly after: MessageId | null;
  readonly state: 'waiting' | 'accepted' | 'abandoned';
  readonly channel: Channel | null;
  readonly createdAt: number;
  /**
   * When the first attempt began and by which device: the homeserver knows the transaction id only there, and
   * for a day.
   */
  readonly firstTriedAt: number | null;
  readonly triedBy: string | null;
  readonly attempts: number;
  readonly lastProblem: string | null;
  readonly giveUpAt: number | null;
  readonly nextActionAt: number | null;
  readonly roomId: RoomId | null;
  readonly eventId: EventId | null;
  readonly acceptedAt: number | null;
  /** When to redact it (tokens only), and when that was done. */
  readonly redactAt: number | null;
  readonly redactedAt: number | null;
};
