import type { AuditEvent } from './audit.ts';
import type { Grant } from './grant.ts';
import type { Actor, EventId, RoomId, UserId } from './ids.ts';
import type { Lease } from './lease.ts';
import type { Message } from './message.ts';

/**
 * A command that was acted on. Its event id is unique for ever, and so is its place in its megolm session:
 * the homeserver can neither deliver it twice nor replay its ciphertext under another event id. A request
 * made at the machine has an id of its own in the event's place; see `requestKey`.
 */
export type CommandKey = {
  readonly eventId: EventId;
  readonly sender: Actor;
  readonly sessionId: string | null;
  readonly messageIndex: number | null;
  readonly at: number;
};

/** What the ids of requests at the machine begin with; no event's does. */
const REQUEST = 'exec:';

/** The key of a request made at the machine: `id` is the client's, the same for each time it asks again. */
export function requestKey(id: string, sender: Actor, at: number): CommandKey {
  return { eventId: `${REQUEST}${id}` as EventId, sender, sessionId: null, messageIndex: null, at };
}

/** The event that a command came by, to be replied to; null for a request made at the machine. */
export function eventOf(command: EventId | null): EventId | null {
  return command === null || command.startsWith(REQUEST) ? null : command;
}

/** A room that is outside every scope, and why. */
export type ExcludedRoom = {
  readonly roomId: RoomId;
  readonly why: 'control' | 'dm' | 'server-notices';
  /** Whose DM or notices room it is; null for the control room. */
  readonly userId: UserId | null;
};

/** A user's cross-signing master key (ed25519, unpadded base64) as it was first seen. */
export type Pin = { readonly userId: UserId; readonly masterKey: string; readonly at: number };

/**
 * A pin that an operator sets in place of `before`, the key that was pinned until then (null: none was).
 * Another one there is a conflict.
 */
export type Repin = { readonly pin: Pin; readonly before: string | null };

/**
 * Everything one decision writes. It is committed whole or not at all, audit and outgoing messages with
 * the state they tell of. Rows carry the revision they will have: 1 for a new one, otherwise one more than
 * the stored; another number means that somebody was faster, and nothing is written.
 */
export type Change = {
  readonly at: number;
  readonly command?: CommandKey;
  readonly grants?: readonly Grant[];
  readonly leases?: readonly Lease[];
  readonly messages?: readonly Message[];
  readonly excluded?: readonly ExcludedRoom[];
  readonly pins?: readonly Pin[];
  readonly repins?: readonly Repin[];
  readonly audit?: readonly AuditEvent[];
};

/**
 * `seen`: the command was acted on before; `conflict`: a row's revision was not as expected. Nothing was
 * written then.
 */
export type Committed = 'committed' | 'seen' | 'conflict';
