import { MintwardenError } from '../../domain/errors.ts';

// A library's own errors are never kept as a cause: they may hold the request, and with it the token.

/** The homeserver gave no answer. */
export function unreachable(why: string): MintwardenError {
  return new MintwardenError('homeserver-unreachable', `The homeserver cannot be reached: ${why}.`);
}

/** The homeserver gave an answer that cannot be used. */
export function invalidResponse(why: string): MintwardenError {
  return new MintwardenError('homeserver-invalid-response', `The homeserver's answer ${why}.`);
}
