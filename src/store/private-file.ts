import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../ports/log.ts';
import { diskError } from './disk-errors.ts';

const FOLDER = 0o700;
const FILE = 0o600;

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Makes a folder (0700) and those above it that are missing. Not `mkdir`'s own `recursive`: where a file
 * system refuses new folders by "no such file" (`/proc`), Node 24 tries for ever.
 */
export function ensureFolder(folder: string): void {
  const make = () => {
    try {
      mkdirSync(folder, { mode: FOLDER });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  };
  try {
    make();
  } catch (error) {
    if (!isCode(error, 'ENOENT') || dirname(folder) === folder) throw error;
    ensureFolder(dirname(folder));
    make();
  }
}

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
    ensureFolder(folder);
    if ((statSync(folder).mode & 0o022) !== 0) log.warn('others can write to the state folder', { folder });
    closeSync(openSync(file, 'a', FILE));
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, FILE);
  } catch (error) {
    throw diskError(file, error);
  }
}
