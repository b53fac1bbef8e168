import type { EventId, RoomId, UserId } from '../domain/ids.ts';

/** A rendered message. `mentions` are the people it should ring. */
export type ChatContent = {
  readonly body: string;
  readonly html: string;
  readonly mentions: readonly UserId[];
  readonly replyTo: EventId | null;
  /** `notice` for everything a bot says; `text` where it must ring. */
  readonly msgtype: 'm.notice' | 'm.text';
};

/** Who gets the keys: every device of the people in the room, or only devices their owners have signed. */
export type Audience = 'every-device' | 'cross-signed';

/** A DM of the bot's with someone. */
export type Dm = {
  readonly roomId: RoomId;
  readonly encrypted: boolean;
  /** The other person's membership. */
  readonly membership: 'invite' | 'join' | 'leave' | 'ban' | 'none';
  /** Joined or invited are the bot and that person, and nobody else. */
  readonly justTheTwo: boolean;
};

/** What is known of a person's encryption. */
export type Keys = {
  readonly devices: number;
  /** Devices signed by their owner's own cross-signing key. */
  readonly signedDevices: number;
  /** The master key, ed25519 in unpadded base64; null without cross-signing. */
  readonly masterKey: string | null;
  /** It is another one than was first seen, and nobody has confirmed it: no secret goes to them. */
  readonly isReplaced: boolean;
};

/** A message that arrived in a room the bot watches. */
export type Incoming = {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly sender: UserId;
  /** As it came, with what it quotes where it is a reply. */
  readonly body: string;
  /** `formatted_body`, likewise. */
  readonly html: string | null;
  readonly replyTo: EventId | null;
  readonly isEdit: boolean;
  /** The homeserver's word for when it was sent, epoch ms. */
  readonly sentAt: number;
  /** Null for a plaintext event. */
  readonly encryption: null | {
    readonly sessionId: string;
    readonly messageIndex: number;
    /** The sending device is signed by its owner's own key. */
    readonly deviceSigned: boolean;
    /** The owner's master key at this moment. */
    readonly masterKey: string | null;
    /** That key is another one than was first seen, and nobody has confirmed it. */
    readonly isReplaced: boolean;
  };
};

/** What happened in the rooms the bot watches. */
export type ChatEvent =
  | { readonly kind: 'message'; readonly message: Incoming }
  /** A text arrived that could not be decrypted: the sender is told to send it again. */
  | {
      readonly kind: 'undecryptable';
      readonly roomId: RoomId;
      readonly eventId: EventId;
      readonly sender: UserId;
    }
  /** Somebody wrote more than is read of one person in so short a time: the text was not looked at. */
  | {
      readonly kind: 'left-out';
      readonly roomId: RoomId;
      readonly eventId: EventId;
      readonly sender: UserId;
    }
  | {
      readonly kind: 'membership';
      readonly roomId: RoomId;
      readonly userId: UserId;
      readonly membership: string;
    };

/** The state of the control room, for authority and doctor. */
export type ControlRoomState = {
  readonly roomId: RoomId;
  readonly botJoined: boolean;
  readonly encrypted: boolean;
  readonly joinRule: string;
  readonly guestsAllowed: boolean;
  readonly worldReadable: boolean;
  readonly joined: readonly UserId[];
  readonly invited: readonly UserId[];
  /** The room that its tombstone names; null where it has none. */
  readonly replacedBy: RoomId | null;
};

/**
 * Chat by the bot's account. Methods throw MintwardenError: `homeserver-unreachable` means try again (the
 * message may or may not have arrived; the same transaction id makes the retry safe), `homeserver-refused`
 * and `recipient-unusable` mean that trying again as things stand is no use.
 */
export interface Chat {
  readonly userId: UserId;
  /** The bot's device: the homeserver remembers transaction ids for it alone. */
  readonly deviceId: string;
  /**
   * Sends to a room. In an encrypted room the content is encrypted, never otherwise; `marker` stands in the
   * clear next to the ciphertext, so that the message can be found again.
   * @param expect refuses (`conflict`) to send plaintext where encryption was expected, and the other way
   *   round
   * @param only refuses (`room-unusable`) to send where the room, as it is then, holds anybody but the bot
   *   and this person
   */
  send(
    roomId: RoomId,
    content: ChatContent,
    options: {
      readonly transactionId: string;
      readonly marker: string;
      readonly expect: 'encrypted' | 'plain';
      readonly audience: Audience;
      readonly only?: UserId;
    },
  ): Promise<EventId>;
  /** Redacts, once per transaction id. */
  redact(roomId: RoomId, eventId: EventId, transactionId: string): Promise<void>;
  /** Our event in the room with this marker, or null. Searches back to at least `since` (epoch ms). */
  findByMarker(roomId: RoomId, marker: string, since: number): Promise<EventId | null>;
  /** The DM with the person, found by its marker in the creation content; null where there is none yet. */
  dm(userId: UserId): Promise<Dm | null>;
  /**
   * The DM with the person, made and invited to if need be (also again, after they left). Never two rooms for
   * one person, whatever crashes. The invite carries `reason`, which is seen before joining.
   */
  openDm(userId: UserId, options: { readonly reason: string; readonly encrypted: boolean }): Promise<Dm>;
  /** Asks the homeserver for the person's keys as they are now. */
  keys(userId: UserId): Promise<Keys>;
  /** Whether the person has read up to the event or later (a receipt in a room the bot is in). */
  hasRead(roomId: RoomId, eventId: EventId, userId: UserId): Promise<boolean>;
  controlRoom(): Promise<ControlRoomState>;
  /** Accepts an invitation to the control room, where there is one. */
  rejoinControlRoom?(): Promise<void>;
  /** Rooms the control room replaced (its predecessors), nearest first. */
  controlRoomPredecessors(): Promise<readonly RoomId[]>;
}
