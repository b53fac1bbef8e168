import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../ports/log.ts';
import { diskError } from './disk-errors.ts';

const FOLDER = 0o700;
const FILE = 0o600;

/**
 * Makes the file (empty, mode 0600) and its folder (0700) where they are missing; takes others' access to
 * the file away where they have it. SQLite gives its side files the mode of the file itself. The mode of a
 * folder that was there is left alone, since it may hold other things, but a folder that others may write
 * to is logged.
 * @throws MintwardenError `state`
 */
export function ensurePrivateFile(file: string, log: Log): void {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER });
    if ((statSync(folder).mode & 0o022) !== 0) log.warn('others can write to the state folder', { folder });
    closeSync(openSync(file, 'a', FILE));
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, FILE);
  } catch (error) {
    throw diskError(file, error);
  }
}
