import { DecryptionErrorCode, MegolmDecryptionError } from '@matrix-org/matrix-sdk-crypto-wasm';
import { EngineError, type DecryptionFailure } from './errors.ts';

const FAILURES: Record<DecryptionErrorCode, DecryptionFailure> = {
  [DecryptionErrorCode.MissingRoomKey]: 'missing-room-key',
  [DecryptionErrorCode.UnknownMessageIndex]: 'unknown-message-index',
  [DecryptionErrorCode.MismatchedIdentityKeys]: 'mismatched-keys',
  [DecryptionErrorCode.UnknownSenderDevice]: 'unknown-sender-device',
  [DecryptionErrorCode.UnsignedSenderDevice]: 'unsigned-sender-device',
  [DecryptionErrorCode.SenderIdentityVerificationViolation]: 'sender-identity-changed',
  [DecryptionErrorCode.UnableToDecrypt]: 'unable-to-decrypt',
  [DecryptionErrorCode.MismatchedSender]: 'mismatched-sender',
};

/** Makes a real Error of whatever the WASM threw: an object of its own, a string, or an Error. */
export function toEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  if (thrown instanceof MegolmDecryptionError) return undecryptable(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new EngineError(
    'engine',
    `The encryption engine failed: ${text}`,
    'See the log; restart if it goes on.',
    {
      cause: thrown,
    },
  );
}

function undecryptable(thrown: MegolmDecryptionError): EngineError {
  const { code, description, maybe_withheld: withheld } = thrown;
  thrown.free();
  const failure = withheld === undefined ? FAILURES[code] : 'withheld';
  return new EngineError(
    'undecryptable',
    `The event cannot be decrypted: ${withheld ?? description}`,
    failure === 'missing-room-key'
      ? 'Its key may still come; otherwise the sender has to send it again.'
      : 'The sender has to send it again from a device signed by its owner.',
    { reason: failure },
  );
}
