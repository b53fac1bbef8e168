import type { UserId } from '../domain/ids.ts';
import type { ChatEvent } from '../ports/chat.ts';
import type { Log } from '../ports/log.ts';
import type { ToDeviceRefusals } from './to-device-gate.ts';

/** Keeps the cross-signing seeds (a secret, to be sealed) through the loss of everything else. */
export interface SeedStore {
  load(): Promise<string | null>;
  save(secret: string): Promise<void>;
}

/** Keeps the position in the stream of events. Losing it costs a look back at what was seen already. */
export interface PositionStore {
  load(): Promise<string | null>;
  save(position: string): Promise<void>;
}

/** What `startMatrix` needs to know. */
export type BotClientOptions = {
  readonly homeserverUrl: string;
  readonly userId: string;
  readonly accessToken: string;
  /** A folder for the encryption store alone. Never bring back an older copy of it. */
  readonly stateDir: string;
  /** 32 bytes; the encryption store is encrypted with it. */
  readonly storeKey: Buffer;
  readonly seeds: SeedStore;
  readonly position: PositionStore;
  /** The bot's password, for homeservers that ask for it before the first cross-signing keys are taken. */
  readonly password?: () => Promise<string | null>;
  readonly controlRoomId: string;
  /** Administrators are heard at any pace, and their invitations are left alone. */
  readonly isAdmin: (userId: UserId) => boolean;
  /**
   * A user's pinned master key, if there is one: it takes precedence over the key that the encryption store
   * first saw.
   */
  readonly pinnedMasterKey?: (userId: UserId) => Promise<string | null>;
  /**
   * Called for each event, one after the other. The position moves on only once it has resolved; where it
   * rejects, or the process dies first, the event comes again.
   */
  readonly onEvent: (event: ChatEvent) => Promise<void>;
  /** The homeserver does not know the token any more; `hasSessionEnded`: its time was over, nobody ended it. Called again and again, until the bot is stopped. */
  readonly onLoggedOut?: (hasSessionEnded: boolean) => void;
  /** To-device events were kept from the encryption engine. Called once for each answer that had any. */
  readonly onRefused?: (refused: ToDeviceRefusals) => void;
  /** News come again after a failure. */
  readonly onReconnected?: () => void;
  /**
   * The encryption store could not be written. Nothing can be sent or read any more: stop the bot, and start
   * it again when there is space. Without this callback, the process exits.
   */
  readonly onFatal?: () => void;
  readonly log: Log;
  /** For tests; the machine's clock unless given. */
  readonly now?: () => number;
};
