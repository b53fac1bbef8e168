/** What went wrong, in words a caller can switch on. */
export type EngineErrorCode =
  | 'store-in-use'
  | 'store-key-wrong'
  | 'store-newer'
  | 'store-damaged'
  | 'store-unusable'
  | 'store-write-failed'
  | 'not-configured'
  | 'closed'
  | 'undecryptable'
  | 'unsafe-share'
  | 'room-key-used-up'
  | 'engine';

/** Why an event could not be decrypted, or was refused. */
export type DecryptionFailure =
  | 'missing-room-key'
  | 'unknown-message-index'
  | 'mismatched-keys'
  | 'unknown-sender-device'
  | 'unsigned-sender-device'
  | 'sender-identity-changed'
  | 'mismatched-sender'
  | 'withheld'
  | 'unable-to-decrypt';

/**
 * What the engine throws: a code, one sentence, and what to do next. It never holds key material or
 * plaintext.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly nextStep: string;
  /** Set when `code` is `undecryptable`. */
  readonly reason: DecryptionFailure | undefined;

  constructor(
    code: EngineErrorCode,
    sentence: string,
    nextStep: string,
    details: { cause?: unknown; reason?: DecryptionFailure } = {},
  ) {
    super(sentence, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.nextStep = nextStep;
    this.reason = details.reason;
  }
}
