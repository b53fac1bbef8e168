import { EngineError, type EngineErrorCode } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { MintwardenError, type ErrorCode } from '../domain/errors.ts';

const CODES: Record<EngineErrorCode, ErrorCode> = {
  'store-in-use': 'state',
  'store-key-wrong': 'state',
  'store-newer': 'state',
  'store-damaged': 'state',
  'store-unusable': 'state',
  'store-write-failed': 'state',
  'not-configured': 'internal',
  closed: 'state',
  undecryptable: 'internal',
  'unsafe-share': 'recipient-unusable',
  'room-key-used-up': 'homeserver-unreachable',
  engine: 'internal',
};

/** The encryption engine's errors in our own vocabulary. Others pass unchanged. */
function toMintwardenError(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new MintwardenError(CODES[error.code], error.message, error.nextStep, { cause: error });
}

/** Runs what speaks to the engine, so that nobody outside meets an `EngineError`. */
export async function mapEngineErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toMintwardenError(error);
  }
}
