import { MintwardenError } from '../../domain/errors.ts';
import type { Problem } from './messages.ts';

/**
 * An error as it passes the pipe. Of one that is not of the house nothing passes: its words could quote what
 * was asked.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof MintwardenError) return { code: error.code, message: error.message, next: error.next };
  return { code: 'internal', message: 'Something went wrong inside Mintwarden.', next: null };
}

/** The error that a problem stands for. */
export function errorOf({ code, message, next }: Problem): MintwardenError {
  return new MintwardenError(code, message, next);
}
