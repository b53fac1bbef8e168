import type { Pin } from '../domain/change.ts';
import { serverOf, type RoomId, type UserId } from '../domain/ids.ts';
import type { Policy } from '../domain/policy.ts';
import { exposure } from '../lifecycle/incidents/control-room.ts';
import type { ControlRoomState, Incoming } from '../ports/chat.ts';
import { shortDuration } from '../words/time.ts';

/** How far a sender's clock, or ours, may be ahead. */
const MAX_FUTURE_MS = 60_000;

/** What is known when a command is judged. */
export type AuthorizationContext = {
  readonly now: number;
  readonly policy: Pick<Policy, 'admins' | 'commandMaxAgeMs'>;
  readonly serverName: string;
  /** The bot and the issuer account. */
  readonly ownAccounts: readonly UserId[];
  /** This event, or its place in its Megolm session, was acted on before. */
  readonly seen: boolean;
};

/** What is known of the control room besides. */
export type ControlRoomContext = AuthorizationContext & {
  readonly room: ControlRoomState;
  /** The sender's master key as first seen; null where it was never seen. */
  readonly pin: Pin | null;
};

/** What is known of a DM besides. */
export type DmContext = AuthorizationContext & {
  /** The bot's DM with the sender; null where there is none. */
  readonly dmRoomId: RoomId | null;
};

/**
 * Whether a command is accepted.
 * - `accept`: `pin` is the master key to remember first; `exposed` says what is wrong with the control room,
 * in which only commands that reveal little or reduce access are accepted then
 * - `ignore`: no reply
 * - `refuse`: a sentence and the next step; `quietly` where saying it once in a while is enough
 */
export type Authorization =
  | { readonly kind: 'accept'; readonly pin: Pin | null; readonly exposed: string | null }
  | { readonly kind: 'ignore'; readonly why: string }
  | {
      readonly kind: 'refuse';
      readonly why: string;
      readonly sentence: string;
      readonly next: string | null;
      readonly quietly: boolean;
    };

function refuse(why: string, sentence: string, next: string | null, quietly = false): Authorization {
  return { kind: 'refuse', why, sentence, next, quietly };
}

/** Too old, too new or edited: what no command may be, wherever it is given. */
function refuseStale(message: Incoming, context: AuthorizationContext): Authorization | null {
  if (message.isEdit)
    return refuse('edit', 'I do not act on edited messages.', 'Send the command as a new message.');
  const age = context.now - message.sentAt;
  if (age > context.policy.commandMaxAgeMs) {
    const limit = shortDuration(context.policy.commandMaxAgeMs);
    return refuse(
      'old',
      `That command reached me ${shortDuration(age)} after it was sent; I act on none older than ${limit}.`,
      'Send it again if you still want it.',
    );
  }
  if (age >= -MAX_FUTURE_MS) return null;
  return refuse(
    'future',
    `That command says it was sent ${shortDuration(-age)} from now.`,
    'The clock of the homeserver or of this machine is wrong; set it, then send the command again.',
  );
}

/**
 * Who may command in the control room: a permitted, joined member of this server, by an encrypted event from
 * a device they have signed, under the master key first seen; fresh, no edit, not seen before.
 */
export function authorizeInControlRoom(message: Incoming, context: ControlRoomContext): Authorization {
  const { sender, encryption } = message;
  const { room, pin, policy, now } = context;
  if (context.ownAccounts.includes(sender)) return { kind: 'ignore', why: 'own' };
  if (context.seen) return { kind: 'ignore', why: 'seen' };
  if (!room.joined.includes(sender)) return { kind: 'ignore', why: 'not-joined' };
  if (serverOf(sender) !== context.serverName) {
    return refuse('remote', `I take commands only from users of ${context.serverName}.`, null, true);
  }
  if (!policy.admins.includes(sender)) {
    return refuse(
      'not-permitted',
      'You are not on the list of those who may give me commands.',
      'An operator can add you under policy.admins in the configuration.',
      true,
    );
  }
  const exposed = exposure(room);
  if (encryption === null) {
    if (room.encrypted) {
      return refuse(
        'plaintext',
        'That command came unencrypted, so anybody at the homeserver could have written it. I did nothing.',
        'Send it from a client with encryption turned on; in Element, a verified session.',
      );
    }
    return refuseStale(message, context) ?? { kind: 'accept', pin: null, exposed };
  }
  if (
    encryption.isReplaced ||
    (pin !== null && encryption.masterKey !== null && pin.masterKey !== encryption.masterKey)
  ) {
    return refuse(
      'changed-identity',
      'Your cryptographic identity is not the one I first saw. Either you reset it, or somebody else did.',
      `Another administrator should make sure that it is you; then an operator confirms the new one at the machine: \`mintwarden trust ${sender}\``,
    );
  }
  if (!encryption.deviceSigned) {
    return refuse(
      'unsigned-device',
      'That command came from a session you have not verified, so it may not be yours.',
      'Verify it (in Element: Settings, Sessions), or send the command from one that is verified.',
    );
  }
  if (encryption.masterKey === null) {
    return refuse(
      'no-identity',
      'You have no cross-signing identity, so I cannot tell your sessions from others’.',
      'Set up encryption in your client (in Element: Settings, Encryption), then send the command again.',
    );
  }
  const fresh = refuseStale(message, context);
  if (fresh !== null) return fresh;
  return {
    kind: 'accept',
    pin: pin === null ? { userId: sender, masterKey: encryption.masterKey, at: now } : null,
    exposed,
  };
}

/**
 * Who may command in a DM: the person whose DM it is. Encrypted or not, since it can only look at or end what
 * is theirs.
 */
export function authorizeInDm(message: Incoming, context: DmContext): Authorization {
  if (context.ownAccounts.includes(message.sender)) return { kind: 'ignore', why: 'own' };
  if (context.dmRoomId !== message.roomId) return { kind: 'ignore', why: 'not-their-dm' };
  if (context.seen) return { kind: 'ignore', why: 'seen' };
  return refuseStale(message, context) ?? { kind: 'accept', pin: null, exposed: null };
}
