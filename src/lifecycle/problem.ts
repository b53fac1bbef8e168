import { MintwardenError } from '../domain/errors.ts';

/**
 * One sentence about a failure that may be stored and shown. Of an unforeseen error only its kind is told:
 * its text might hold anything.
 */
export function problemOf(error: unknown): string {
  if (error instanceof MintwardenError) return error.message;
  return `An unexpected error (${error instanceof Error ? error.name : typeof error}).`;
}
