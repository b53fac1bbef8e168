import type { RoomAlias, RoomId, UserId } from '../domain/ids.ts';
import type { RoomFacts } from '../domain/grant.ts';
import type { InvitePermission } from '../domain/invite-permission.ts';

/** What the homeserver says of a local user. */
export type SubjectFacts = {
  readonly userId: UserId;
  readonly deactivated: boolean;
  readonly locked: boolean;
  readonly admin: boolean;
  readonly joinedRooms: readonly RoomId[];
  /** The room Synapse's server notices come in, where there is one. */
  readonly noticesRoom: RoomId | null;
  /** The subject has the bot on their ignore list: it could not tell them anything. */
  readonly ignoresBot: boolean;
  /** What their settings make of an invitation by the bot. */
  readonly invites: InvitePermission;
  /** Their settings hide server notices too. */
  readonly refusesNotices: boolean;
};

/**
 * What the homeserver knows. Asked with the issuer's rights.
 * Every method throws MintwardenError `homeserver-unreachable`, `homeserver-refused` or
 * `homeserver-invalid-response` where it got no usable answer: never an empty answer instead.
 */
export interface Directory {
  /** The part after the colon of this homeserver's users. */
  readonly serverName: string;
  /** Null where there is no such user. */
  subject(userId: UserId): Promise<SubjectFacts | null>;
  /** Null where the homeserver does not know the room. */
  room(roomId: RoomId): Promise<RoomFacts | null>;
  /**
   * Who sent the room's create event, by the state that the homeserver itself holds: what an invite says of
   * it is the inviting server's word. Null where it holds none, as of rooms on other servers that no user of
   * its is in.
   */
  creator(roomId: RoomId): Promise<UserId | null>;
  /** The rooms a local user is invited to. None where the homeserver is too old to say. */
  invitedRooms(userId: UserId): Promise<readonly RoomId[]>;
  /** The room that replaces this one, where the state of both says so; see `replacementOf`. */
  replacement(roomId: RoomId): Promise<RoomId | null>;
  /** Null where the alias leads nowhere. */
  resolveAlias(alias: RoomAlias): Promise<RoomId | null>;
  /** Whether the homeserver has server notices (an answer of "yes" is remembered, of "no" for a minute). */
  hasServerNotices(): Promise<boolean>;
  /** Whether this is a server notices room of any user. */
  isNoticesRoom(roomId: RoomId): Promise<boolean>;
  /** Sends a server notice, once per `transactionId`. */
  sendServerNotice(
    userId: UserId,
    content: { readonly body: string; readonly html: string },
    transactionId: string,
  ): Promise<{ readonly eventId: string }>;
}
