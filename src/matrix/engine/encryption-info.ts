import { ShieldColor, ShieldStateCode, type DecryptedRoomEvent } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { TrustLevel } from './configuration.ts';
import { EngineError, type DecryptionFailure } from './errors.ts';

/**
 * How far the sender of a decrypted event is known: `verified` by us; `cross-signed`: the device is signed by
 * its owner, whom we have not verified but whose identity is the one first seen or last pinned; then the
 * ways in which it is not.
 */
export type SenderTrust =
  | 'verified'
  | 'cross-signed'
  | 'unsigned-device'
  | 'unknown-device'
  | 'identity-changed'
  | 'mismatched-sender'
  | 'unauthenticated';

/** Who encrypted an event, with what, and how far they are trusted. */
export interface EncryptionInfo {
  readonly sender: string;
  readonly senderDevice: string | undefined;
  readonly senderEd25519Key: string | undefined;
  readonly senderCurve25519Key: string;
  readonly trust: SenderTrust;
  /** The room key came from someone other than its maker, who is only claimed then. */
  readonly isForwarded: boolean;
  readonly roomId: string;
  readonly sessionId: string;
  /** With `sessionId` unique to one message: a second event with the same pair is a replay. */
  readonly messageIndex: number;
}

/** `encrypted` is the JSON of the event that `decrypted` came from. */
export function describeEncryption(
  decrypted: DecryptedRoomEvent,
  encrypted: string,
  roomId: string,
  hasReplacedIdentity: boolean,
): EncryptionInfo {
  const trust = senderTrust(decrypted);
  const { content } = JSON.parse(encrypted) as { content: { session_id: string; ciphertext: string } };
  return {
    sender: decrypted.sender.toString(),
    senderDevice: decrypted.senderDevice?.toString(),
    senderEd25519Key: decrypted.senderClaimedEd25519Key,
    senderCurve25519Key: decrypted.senderCurve25519Key,
    trust: trust === 'cross-signed' && hasReplacedIdentity ? 'identity-changed' : trust,
    isForwarded: decrypted.forwarder !== undefined || decrypted.forwardingCurve25519KeyChain.length > 0,
    roomId,
    sessionId: content.session_id,
    messageIndex: megolmMessageIndex(content.ciphertext),
  };
}

/**
 * Refuses what the engine's own requirement lets through: in every room an event under another's name, and
 * where signed devices are asked for also those signed by an identity that took the place of the first.
 * @throws EngineError `undecryptable`
 */
export function checkSender(info: EncryptionInfo, requirement: TrustLevel): void {
  if (info.trust === 'mismatched-sender') {
    throw refused('mismatched-sender', 'The event was encrypted by someone other than its sender.');
  }
  if (info.trust === 'identity-changed' && requirement === 'cross-signed') {
    throw refused('sender-identity-changed', `The identity of ${info.sender} is not the one first seen.`);
  }
}

function refused(reason: DecryptionFailure, sentence: string): EngineError {
  return new EngineError(
    'undecryptable',
    sentence,
    'Ask its sender by another way; the homeserver may be at fault.',
    {
      reason,
    },
  );
}

function senderTrust(decrypted: DecryptedRoomEvent): SenderTrust {
  // The strict shield says "unverified identity" of unsigned devices too: only the lax one tells them apart.
  if (decrypted.shieldState(true).color === ShieldColor.None) return 'verified';
  const { color, code } = decrypted.shieldState(false);
  if (color === ShieldColor.None) return 'cross-signed';
  switch (code) {
    case ShieldStateCode.UnsignedDevice:
      return 'unsigned-device';
    case ShieldStateCode.UnknownDevice:
      return 'unknown-device';
    case ShieldStateCode.VerificationViolation:
      return 'identity-changed';
    case ShieldStateCode.MismatchedSender:
      return 'mismatched-sender';
    case ShieldStateCode.UnverifiedIdentity:
    case ShieldStateCode.AuthenticityNotGuaranteed:
    case undefined:
    default: // a code of a later engine
      return 'unauthenticated';
  }
}

/** The index in the content of an `m.room.encrypted` event, given as JSON. */
export function messageIndexOf(encryptedContent: string): number {
  return megolmMessageIndex((JSON.parse(encryptedContent) as { ciphertext: string }).ciphertext);
}

/**
 * The ratchet's index of a Megolm message: a version byte, then protobuf-like fields of which 0x08 is the
 * index. Source: https://gitlab.matrix.org/matrix-org/olm/-/blob/master/docs/megolm.md#message-format
 * @throws RangeError when the ciphertext is no Megolm message of version 3
 */
export function megolmMessageIndex(ciphertext: string): number {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes[0] !== 3 || bytes[1] !== 0x08) throw new RangeError('not a Megolm message');
  let index = 0;
  for (let at = 2, scale = 1; at < 7; at++, scale *= 128) {
    const byte = bytes[at];
    if (byte === undefined) break;
    index += (byte & 0x7f) * scale;
    if (byte < 0x80) return index;
  }
  throw new RangeError('not a Megolm message');
}
