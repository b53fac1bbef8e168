import { DatabaseSync } from 'node:sqlite';
import { MintwardenError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { diskError, sqliteCode } from '../disk-errors.ts';
import { ensurePrivateFile } from '../private-file.ts';

const BUSY = 5;

/**
 * Takes the one place as the writer of a ledger: an exclusive lock of the operating system on a file of
 * its own (`<ledger>.lock`), so that the ledger itself stays open to readers. The system frees it when the
 * process ends, by kill -9 too.
 * @returns the way to give it back
 * @throws MintwardenError `state` where another process (or this one) has it
 */
export function takeWriterLock(ledgerFile: string, log: Log): () => void {
  const file = `${ledgerFile}.lock`;
  ensurePrivateFile(file, log);
  let holder: DatabaseSync | null = null;
  try {
    holder = new DatabaseSync(file, { timeout: 0 });
    // Nothing is ever written to it, so that there is no journal to leave behind.
    holder.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
  } catch (error) {
    holder?.close();
    if (sqliteCode(error) !== BUSY) throw diskError(file, error);
    throw new MintwardenError(
      'state',
      `The ledger ${ledgerFile} is in use by another process.`,
      'Stop the Mintwarden that is running on this state folder, or give this one a folder of its own.',
      { cause: error },
    );
  }
  const held = holder;
  return () => held.close();
}
