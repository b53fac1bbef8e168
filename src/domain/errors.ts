/**
 * Everything that can go wrong in a way a person is told about. The set is closed, so that answers,
 * tests and exit statuses can rely on it.
 */
export type ErrorCode =
  | 'usage'
  | 'not-found'
  | 'ambiguous'
  | 'refused-by-policy'
  | 'subject-unusable'
  | 'subject-unreachable'
  | 'recipient-unusable'
  | 'room-unusable'
  | 'not-allowed'
  | 'conflict'
  | 'homeserver-unreachable'
  | 'homeserver-refused'
  | 'homeserver-invalid-response'
  | 'configuration'
  | 'state'
  | 'internal';

/**
 * An error for a person to read: what is wrong (one sentence) and a hint at what to do next (a sentence, or a
 * line to copy). Neither ever holds a secret.
 */
export class MintwardenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, sentence: string, hint: string | null = null, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'MintwardenError';
    this.code = code;
    this.hint = hint;
  }
}

/** For the default branch of a switch that must stay exhaustive. */
export function unreachable(value: never): never {
  throw new MintwardenError('internal', `A case was forgotten: ${JSON.stringify(value)}.`);
}
