/** The event as a client shows it, after decryption. */
export interface TimelineEvent {
  eventId: string;
  roomId: string;
  sender: string;
  /** When the homeserver says it was sent (epoch ms). */
  atMs: number;
  /** The decrypted type; `m.room.encrypted` while it could not be decrypted. */
  type: string;
  /** The decrypted content, edits not applied; empty once redacted. */
  content: Record<string, unknown>;
  /** Null if it is no state event. */
  stateKey: string | null;
  /** It came as `m.room.encrypted`. */
  wasEncrypted: boolean;
  /** Why it could not be decrypted; null if it was, or was never encrypted. */
  undecryptable: string | null;
  /** The warning shown beside it; null if the client knows no such thing (nio) or it was never encrypted. */
  shield: Shield | null;
  /**
   * Whether the sending device is signed by its owner's cross-signing keys; null if it was never encrypted.
   */
  signedByOwner: boolean | null;
  /** Whether this client holds the sending device for verified by the person using it. */
  verified: boolean | null;
  redacted: boolean;
  /** The Megolm session it was encrypted in. */
  sessionId: string | null;
}

/** What a client draws beside an encrypted message. The reason is matrix-js-sdk's name for it. */
export interface Shield {
  colour: 'none' | 'grey' | 'red';
  reason: string | null;
}

/** An invitation, as seen before joining. */
export interface Invite {
  roomId: string;
  inviter: string;
  reason: string | null;
  isDirect: boolean;
}

/** How long to wait and what for; `what` is named in the error when it does not come. */
export interface WaitOptions {
  timeoutMs?: number;
  what?: string;
}

/** Options of {@link EncryptedClient.say}. */
export interface SayOptions {
  mentions?: readonly string[];
  replyTo?: string;
  html?: string;
}

/** Options of {@link EncryptedClient.createRoom}. */
export interface RoomOptions {
  name?: string;
  invite?: readonly string[];
  /** True unless said otherwise. */
  encrypted?: boolean;
  isDirect?: boolean;
  /** Anything else of the specification's createRoom request. */
  more?: Record<string, unknown>;
}

/** Somebody's Matrix client. Disposing of it ends its process; its keys are in memory and go with it. */
export interface EncryptedClient extends AsyncDisposable {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;

  createRoom(options?: RoomOptions): Promise<string>;
  join(roomId: string): Promise<void>;
  leave(roomId: string): Promise<void>;
  invite(roomId: string, userId: string): Promise<void>;

  /** Sends encrypted text and gives its event id. Throws if the room is not encrypted, and sends nothing. */
  say(roomId: string, text: string, options?: SayOptions): Promise<string>;
  /** Sends an encrypted edit of an earlier message. */
  edit(roomId: string, eventId: string, text: string): Promise<string>;
  /** Sends any event encrypted. */
  sendEncrypted(roomId: string, type: string, content: object): Promise<string>;
  /** Sends an event as it is, also into an encrypted room. */
  sendPlaintext(roomId: string, type: string, content: object): Promise<string>;
  /** Unencrypted, as Element clients do it. */
  react(roomId: string, eventId: string, key: string): Promise<string>;
  redact(roomId: string, eventId: string, reason?: string): Promise<string>;
  setState(roomId: string, type: string, content: object, stateKey?: string): Promise<string>;
  ignore(userIds: readonly string[]): Promise<void>;
  /** The event as the homeserver has it: ciphertext, if it is encrypted. */
  wireEvent(roomId: string, eventId: string): Promise<Record<string, unknown>>;

  /** What has been seen in the room, in the order it came. */
  timeline(roomId: string): TimelineEvent[];
  /** The first event ever seen for which the predicate holds, now or later. Throws after 20 s. */
  waitForMessage(predicate: (event: TimelineEvent) => boolean, options?: WaitOptions): Promise<TimelineEvent>;
  /** The first decrypted message that replies to the event. */
  waitForReply(eventId: string, options?: WaitOptions): Promise<TimelineEvent>;
  /** The invitations that stand. */
  invites(): Invite[];
  waitForInvite(predicate?: (invite: Invite) => boolean, options?: WaitOptions): Promise<Invite>;
  /**
   * Waits until this client has seen the person in the room (so that the next message is encrypted for them).
   */
  waitForMember(roomId: string, userId: string, membership?: string, options?: WaitOptions): Promise<void>;
}
