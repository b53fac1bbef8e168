import { existsSync } from 'node:fs';
import type { Config } from '../config/index.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import { takeWriterLock } from '../store/sqlite/lock.ts';
import { ledgerFile } from './paths.ts';

/** Whether a Mintwarden runs on this state folder: then it has the ledger's lock. */
export function isRunning(config: Pick<Config, 'state_dir'>, log: Log): boolean {
  const file = ledgerFile(config);
  if (!existsSync(`${file}.lock`)) return false;
  try {
    takeWriterLock(file, log)();
    return false;
  } catch (error) {
    if (error instanceof MintwardenError && /in use/.test(error.message)) return true;
    throw error;
  }
}
