import { MintwardenError } from '../domain/errors.ts';

/** SQLite's primary result codes that a person can do something about (sqlite.org/rescode.html). */
const CAUSES: Readonly<Record<number, readonly [sentence: string, next: string]>> = {
  5: ['another program is writing to it', 'Close other programs that have the file open.'],
  6: ['another program is writing to it', 'Close other programs that have the file open.'],
  8: ['it cannot be written to', 'Make the folder and its files writable for the service, then try again.'],
  10: ['the disk reported an error', 'Look at the disk and at the system log.'],
  11: ['the file is damaged', 'Stop the service and restore the state folder from a backup.'],
  13: ['the disk is full', 'Free some space; the service goes on by itself.'],
  14: [
    'the file cannot be opened',
    'Check that the folder exists and that the service may read and write it.',
  ],
  26: ['the file is not a database', 'Check the path, or restore the state folder from a backup.'],
};

const CONSTRAINT = 19;

/** The primary result code of an error of `node:sqlite`; null for any other error. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

/**
 * What `node:sqlite` or the file system threw, as a `state` error for people: the store cannot be read or
 * written now. A broken rule of the tables is `internal`: it is our mistake. Errors of ours pass unchanged.
 */
export function diskError(file: string, error: unknown): MintwardenError {
  if (error instanceof MintwardenError) return error;
  const code = sqliteCode(error);
  if (code === CONSTRAINT) {
    const rule = error instanceof Error ? error.message : '';
    return new MintwardenError(
      'internal',
      `A change breaks a rule of the ledger and was not written: ${rule}.`,
      null,
      { cause: error },
    );
  }
  const known = code === null ? undefined : CAUSES[code];
  if (known !== undefined)
    return new MintwardenError('state', `The store ${file} cannot be used: ${known[0]}.`, known[1], {
      cause: error,
    });
  const what = error instanceof Error ? error.message : 'unknown error';
  return new MintwardenError(
    'state',
    `The store ${file} cannot be used: ${what}.`,
    'Check the path, the disk and who may write there.',
    {
      cause: error,
    },
  );
}
