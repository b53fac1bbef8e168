import { MintwardenError } from '../../domain/errors.ts';
import type { IpcError } from './messages.ts';

/** An error as it is sent. Of an unexpected one nothing is sent: its message could quote the request. */
export function toIpcError(error: unknown): IpcError {
  if (error instanceof MintwardenError) return { code: error.code, message: error.message, next: error.hint };
  return { code: 'internal', message: 'Something went wrong inside Mintwarden.', next: null };
}

/** The error that was sent. */
export function fromIpcError({ code, message, next }: IpcError): MintwardenError {
  return new MintwardenError(code, message, next);
}
